"""The states of a home in which attacks on several stores are made together.

None of them hides what is told of another one.
"""

ROWS = "rows of the spine"
FIELDS = "fields"
LANDING = "landing"
GONE = "landed objects"
PIECES = "files cut off, deleted and exchanged"
POINTERS = "pointers of readers"
ENGINE_POINTERS = "pointers of the engine"
VIEWS = "views of readers"
HIDDEN = "a hidden record"
ALL_HIDDEN = "all hidden records"
NO_MART = "no mart"
EARLIER = "an earlier publication"
READERS_CUT = "what readers open cut off"
NO_READERS = "what readers open gone"
UNREADABLE = "nonsense in stores"
UNREGISTERED = "a served table out of the register"
NO_KEYS = "rows of no key"
SERVICES = "stores of services"
SEALED_ANEW = "sealed anew"
