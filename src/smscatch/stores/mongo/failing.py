"""What to say when MongoDB fails or refuses us: the reason in its own words, and what to do about it."""

from pymongo.errors import BulkWriteError, ConfigurationError, DuplicateKeyError, OperationFailure, PyMongoError

from smscatch.errors import CannotStart, StoreUnavailable

NO_INDEX = (
    "an index is missing, since a collection was dropped, renamed or restored without. Start smscatch again, which"
    " makes it"
)
# These come of what we ask; trying again later would not help: BadValue, FailedToParse, TypeMismatch.
OUR_CODES = (2, 9, 14)
CERTIFICATE = "certificate verify failed"  # OpenSSL's words
# https://www.mongodb.com/docs/manual/reference/error-codes/ and, for Atlas, 8000 (AtlasError)
UNAUTHORIZED, AUTHENTICATION_FAILED, ATLAS = 13, 18, 8000


def unavailable(where: str, error: PyMongoError) -> StoreUnavailable:
    """Return the error for callers, as sentences that name the database."""
    said = NO_INDEX if _lacks_index(error) else reason(error)
    return StoreUnavailable(f"The database {where} failed: {said}.{_advice(error)}")


def cannot_open(error: StoreUnavailable) -> CannotStart | StoreUnavailable:
    """Return the error of who opens a store: StoreUnavailable if the database is away, CannotStart if it refuses us."""
    if _is_refused(error.__cause__):
        return CannotStart(str(error))
    return StoreUnavailable(
        f"{error} Start it (MongoDB 5.0 or newer) as a replica set, of one node if need be (mongod --replSet rs0, and"
        " once rs.initiate() in mongosh), or correct the host in SMSCATCH_STORE."
    )


def _is_refused(error: BaseException | None) -> bool:
    if isinstance(error, ConfigurationError):  # of mongodb+srv://: a name server may be away, too
        return "does not exist" in str(error)
    if CERTIFICATE in str(error):  # the driver tries again, as if the server were away
        return True
    return isinstance(error, OperationFailure) and error.code in (UNAUTHORIZED, AUTHENTICATION_FAILED, ATLAS)


def _advice(error: PyMongoError) -> str:
    """Return sentences that say what to do, with a blank in front; nothing if the reason says all."""
    if CERTIFICATE in str(error):
        return " Name the file with the certificate of who vouches for it: add tlsCAFile=PATH to the URL."
    code = error.code if isinstance(error, OperationFailure) else None
    if code in (AUTHENTICATION_FAILED, ATLAS):
        return (
            " See that user and password in SMSCATCH_STORE are right. A user who was made in another database than the"
            " one in the URL, most often admin, signs in there: add ?authSource=admin."
        )
    if code == UNAUTHORIZED and "authentication" in str(error):
        return (
            " It lets nobody in without a user and a password: mongodb://USER:PASSWORD@HOST/DATABASE?authSource=admin."
        )
    if code == UNAUTHORIZED:
        return (
            " The user may not do that. Give the role readWrite on the database, in mongosh as an administrator, in the"
            ' database where the user was made: db.grantRolesToUser("USER", [{role: "readWrite", db: "DATABASE"}]).'
        )
    return ""


def _lacks_index(error: PyMongoError) -> bool:
    """Return whether a query names an index that is not there; MongoDB has no code of its own for that."""
    if CERTIFICATE in str(error):  # the driver tries again, as if the server were away
        return True
    return isinstance(error, OperationFailure) and error.code in OUR_CODES and "hint provided" in str(error)


def is_our_fault(error: PyMongoError) -> bool:
    """Return whether an error comes of what we ask."""
    if _lacks_index(error):
        return False
    if isinstance(error, BulkWriteError):
        return any(failed["code"] in (*OUR_CODES, 11000) for failed in error.details["writeErrors"])
    return isinstance(error, DuplicateKeyError) or (isinstance(error, OperationFailure) and error.code in OUR_CODES)


def reason(error: PyMongoError) -> str:
    """Return what a driver's error says, without the state of the whole replica set behind it."""
    text = str(error)
    for more in (", full error: ", ", Topology Description: ", " (configured timeouts: "):
        text = text.partition(more)[0]
    return text.rstrip(".")
