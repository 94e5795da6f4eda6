"""The error tree.

ReadFirstError
├── Refused         final: this image will not be scored; recorded with a code and a sentence
├── Unavailable     passing: a broker, database or disk does not answer; tried again
│   ├── SourceUnavailable   a PACS that films are fetched from does not answer
│   │   └── SourceRefuses   it answers that it does not do this: somebody has to set something up
│   ├── MachineFault        a kind of work cannot go on (`readfirst.machine_faults`)
│   └── ReadingInterrupted  the process that reads files was stopped; nothing is said of the file
├── BeingWritten    passing: somebody still writes the file, which goes back to where it lay
├── MessageRefused  a message of another system cannot be taken; kept with a code and a sentence
├── Conflict        somebody else was quicker; look again, and confirm
└── Misconfigured   the site must change something first; the message says what
"""

from readfirst.refusals import SENTENCES, RefusalCode
from readfirst.ris.codes import MESSAGE_SENTENCES, MessageCode


class ReadFirstError(Exception):
    """Base of every error that ReadFirst raises on purpose."""


class Refused(ReadFirstError):
    """The image cannot be scored, ever, as it is.

    code: one of `RefusalCode`. reason: the sentence that a person reads, with the detail (what
    was found) behind it.
    """

    def __init__(self, code: RefusalCode, detail: str = "") -> None:
        self.code = code
        self.reason = SENTENCES[code] + (f" ({detail})" if detail else "")
        super().__init__(f"{code}: {self.reason}")


class Unavailable(ReadFirstError):
    """Something that is needed does not answer at the moment."""


class SourceUnavailable(Unavailable):
    """A PACS that films are fetched from does not answer, or not as it must."""


class SourceRefuses(SourceUnavailable):
    """A PACS does not do what it is asked, and will not before somebody sets something up."""


class ReadingInterrupted(Unavailable):
    """The process that reads files was killed from outside, or got too little processor time.

    code: what the file is refused by if that happens at each of very many attempts.
    """

    def __init__(self, code: RefusalCode, text: str) -> None:
        self.code = code
        super().__init__(text)


class BeingWritten(ReadFirstError):
    """A file changed while it was read, or somebody has it open for writing."""


class MessageRefused(ReadFirstError):
    """A message of another system cannot be taken as it is.

    code: one of `MessageCode`. reason: the sentence that a person reads, without a patient's data;
    the detail is the type of the message, or the name of a field.
    """

    def __init__(self, code: MessageCode, detail: str = "") -> None:
        self.code = code
        self.reason = MESSAGE_SENTENCES[code] + (f" ({detail})" if detail else "")
        super().__init__(f"{code}: {self.reason}")


class Conflict(ReadFirstError):
    """Somebody else changed in the meantime what was to be changed: look again."""


class NotThere(ReadFirstError):
    """Nothing has the name or number that somebody gave."""


class Misconfigured(ReadFirstError):
    """A setting, a weight file or a folder is wrong; the message says what to do."""
