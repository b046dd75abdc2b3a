"""The sabotage list of the object store."""

from tests.sabotage.shape import Sabotage

STORE = "lti_tool/core/files.py"
DURABLE = "lti_tool/core/durable.py"
PROMISES = ("tests/core/files/test_files.py",)
FAULTS = ("tests/core/files/test_files_faults.py",)

FILES = (
    Sabotage(
        "any key is good",
        STORE,
        "if not _KEY.fullmatch(key):",
        "if not key:",
        PROMISES,
    ),
    Sabotage(
        "what is read is not compared with its checksum",
        STORE,
        "if sha256 is not None and hashlib.sha256(content).digest() != sha256:",
        "if False:",
        PROMISES,
    ),
    Sabotage(
        "the server does not compare what arrives",
        STORE,
        '"checksum_algorithm": "SHA256",',
        "",
        FAULTS,
    ),
    Sabotage(
        "the content is not told to the disk",
        DURABLE,
        "os.fsync(file.fileno())",
        "pass",
        FAULTS,
    ),
    Sabotage(
        "the name is not told to the disk",
        DURABLE,
        "_sync_folder(parent)",
        "pass",
        FAULTS,
    ),
)
