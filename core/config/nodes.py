"""The nodes of a YAML file: PyYAML's events put together, syntax and tags checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from core.config.document import Position, quote
from core.config.scalars import Scalar, resolve
from core.config.text import UnreadableText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_DEPTH = 50

_STANDARD = "tag:yaml.org,2002:"
_SCALAR_TAGS: dict[str, type[object]] = {
    _STANDARD + "null": type(None),
    _STANDARD + "bool": bool,
    _STANDARD + "int": int,
    _STANDARD + "float": float,
}
_TEXT_TAGS = (_STANDARD + "str", "!")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a file may hold beside the YAML that all our files share."""

    resolve: Callable[[str], Scalar] = resolve
    """Returns the value of a scalar that is written without quotes and without a tag."""
    tags: frozenset[str] = frozenset()
    """Tags that stay on their nodes, which are read as if they had none."""


STRICT = Dialect()


@dataclass(slots=True)
class ScalarNode:
    """A scalar: as it is written, and what it means."""

    text: str
    value: Scalar
    tag: str | None = None
    """One of the dialect."""


@dataclass(slots=True)
class CollectionNode:
    """A list, or a mapping whose children are keys and values in turn."""

    is_mapping: bool
    children: list[tuple[Node, Position]] = field(default_factory=list)
    tag: str | None = None
    """One of the dialect."""


Node = ScalarNode | CollectionNode


def compose(text: str, dialect: Dialect = STRICT) -> tuple[Node, Position] | None:
    """Return the root node and its position, or None for a file without any document.

    Raises:
        UnreadableText: The text is not one YAML document that can be read.
    """
    root = CollectionNode(is_mapping=False)
    open_nodes = [root]
    anchors: dict[str, Node] = {}
    documents = 0
    for event in _events(text):
        position = _start(event)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise UnreadableText(
                    position, "the file holds more than one document", 'keep what is above "---"'
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            open_nodes.pop()
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event, anchors, open_nodes, dialect)
            open_nodes[-1].children.append((node, position))
            if isinstance(event, yaml.CollectionStartEvent):
                assert isinstance(node, CollectionNode)
                open_nodes.append(node)
                if len(open_nodes) > MAX_DEPTH:
                    raise UnreadableText(position, f"nested more than {MAX_DEPTH} levels deep")
    return root.children[0] if root.children else None


def _events(text: str) -> Iterator[Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from error
    except (yaml.YAMLError, UnicodeError) as error:
        # The parser of libyaml hands a tag with broken percent escapes to Python's own decoder.
        raise UnreadableText(Position(1, 1), "not valid YAML: it cannot be decoded") from error


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> UnreadableText:
    position = _position(error.problem_mark) if error.problem_mark else Position(1, 1)
    lines = text.splitlines()
    line = lines[position.line - 1] if position.line <= len(lines) else ""
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation:
        place = Position(position.line, indentation.index("\t") + 1)
        return UnreadableText(place, "a tab cannot indent YAML", "use spaces")
    hint = None
    if error.context and error.context_mark:
        hint = f"{error.context} that starts at line {error.context_mark.line + 1}"
    return UnreadableText(position, f"not valid YAML: {error.problem}", hint)


def _start(event: Any) -> Position:
    return _position(event.start_mark)


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _node(
    event: Any,
    anchors: dict[str, Node],
    open_nodes: list[CollectionNode],
    dialect: Dialect,
) -> Node:
    if isinstance(event, yaml.AliasEvent):
        return _aliased(event, anchors, open_nodes)
    tag = event.tag if event.tag in dialect.tags else None
    if tag:
        event.tag = None
    node: Node
    if isinstance(event, yaml.ScalarEvent):
        node = ScalarNode(event.value, _scalar(event, dialect), tag)
    else:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        _check_collection_tag(event, _STANDARD + ("map" if is_mapping else "seq"))
        node = CollectionNode(is_mapping, tag=tag)
    if event.anchor:
        anchors[event.anchor] = node
    return node


def _aliased(
    event: yaml.AliasEvent, anchors: dict[str, Node], open_nodes: list[CollectionNode]
) -> Node:
    name = str(event.anchor)
    node = anchors.get(name)
    if node is None:
        message = f"the alias {quote('*' + name)} has no anchor above it"
        raise UnreadableText(_start(event), message)
    if any(node is parent for parent in open_nodes):
        message = f"the alias {quote('*' + name)} stands inside its own anchor"
        raise UnreadableText(_start(event), message)
    return node


def _check_collection_tag(event: Any, expected: str) -> None:
    if event.tag not in (None, "!", expected):
        raise _tag_error(event)


def _scalar(event: yaml.ScalarEvent, dialect: Dialect) -> Scalar:
    if "\0" in event.value:
        raise UnreadableText(_start(event), "a text cannot hold a NUL character")
    # libyaml calls a quoted scalar with the tag "!" plain too: only its style tells.
    if event.tag is None and not event.style:
        return dialect.resolve(event.value)
    if event.tag is None or event.tag in _TEXT_TAGS:
        return str(event.value)
    expected = _SCALAR_TAGS.get(event.tag)
    value = resolve(event.value)
    if expected is float and type(value) is int:
        return float(value)
    if expected is None or type(value) is not expected:
        raise _tag_error(event)
    return value


def _tag_error(event: Any) -> UnreadableText:
    tag = quote(event.tag.replace(_STANDARD, "!!"))
    return UnreadableText(_start(event), f"the tag {tag} is not supported here", "remove the tag")
