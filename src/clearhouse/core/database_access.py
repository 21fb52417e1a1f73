"""How a program uses a database on a server: its name there, its connections, its time-outs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """Defaults are those of a batch command. A store in a file takes none of it.

    Attributes:
        program: by which the server lists the sessions (`application_name`).
        setting: the variable that names the database, for sentences about it.
        reads_only: nothing is to be changed; the server refuses it then.
        pool_size: connections that stay open; as many more are opened while those are in use.
        statement_seconds: that one statement may take; 0: any time.
        lock_seconds: that a statement waits for another session.
        idle_seconds: that a transaction may stand still; 0: any time.
    """

    program: str = "clearhouse"
    setting: str = "DATABASE_URL"
    reads_only: bool = False
    pool_size: int = 5
    statement_seconds: float = 3_600
    lock_seconds: float = 10
    idle_seconds: float = 0


BATCH = DatabaseAccess()
