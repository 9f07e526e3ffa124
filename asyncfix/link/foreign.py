"""Libraries whose objects are their own: what their functions give is never an object of the project.

Others may hand back what they were given, or make objects of classes that they were told of.
"""

from __future__ import annotations

PLAIN_MODULES = frozenset(
    {"base64", "binascii", "bisect", "calendar", "codecs", "csv", "datetime", "decimal", "difflib", "email", "fnmatch"}
    | {
        "fractions",
        "getpass",
        "glob",
        "gzip",
        "hashlib",
        "hmac",
        "html",
        "http",
        "imaplib",
        "io",
        "ipaddress",
        "locale",
    }
    | {"math", "mimetypes", "os", "pathlib", "platform", "poplib", "pwd", "re", "secrets", "shlex", "shutil", "signal"}
    | {"smtplib", "socket", "ssl", "stat", "statistics", "string", "struct", "subprocess", "tarfile", "tempfile"}
    | {"textwrap", "time", "tokenize", "unicodedata", "urllib", "uuid", "xml", "zipfile", "zlib", "zoneinfo"}
    | {"boto3", "botocore", "bs4", "lxml", "pymongo", "pytz", "requests", "selenium", "urllib3"}
)
PLAIN_TYPES = (
    "builtins.str.",
    "builtins.bytes.",
    "builtins.open()",
    "builtins.input()",
    "builtins.int.",
    "builtins.float.",
)


def is_of_its_own(name: str) -> bool:
    """Whether what a dotted name of a library means, and gives, is no object of the project."""
    return name.partition(".")[0] in PLAIN_MODULES or name.startswith(PLAIN_TYPES)
