"""The servers of the stack profile on one machine without a container engine.

`python -m deploy.native up | status | down`, from the repository's folder. Standard library only.
Linux only: processes are identified through /proc and signalled through file descriptors.
"""
