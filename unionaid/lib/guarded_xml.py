"""XML from outside: a bank's statement or answer."""

from xml.parsers import expat


class UnsafeXml(ValueError):
    """A document with a type or entities of its own, or one that asks for something from outside."""


def guarded_parser(namespace_separator: str | None = None) -> expat.XMLParserType:
    """A parser that meets these before anything is expanded or built: UnsafeXml. Without a document type there are no entities, and nothing
    from outside is read. Run it over all bytes before they are made use of."""
    parser = expat.ParserCreate(namespace_separator=namespace_separator)
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = _refuse
    return parser


def _refuse(*_told: object) -> int:
    raise UnsafeXml("a document type")
