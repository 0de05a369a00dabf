"""Where order does not matter: which elements of which containers are free, and what tells them apart."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tree_sitter import Node

from collab.syntax.parsing import Parsed

STATEMENTS: Final = frozenset({
    "module", "block", "program", "statement_block", "class_body", "interface_body", "object_type", "source_file",
    "declaration_list", "translation_unit", "field_declaration_list", "compound_statement", "stylesheet",
    "document", "table", "table_array_element", "block_mapping", "block_sequence", "list", "section", "pipe_table",
    "import_spec_list", "enum_body_declarations", "interface_type", "const_declaration", "var_declaration",
})  # fmt: skip
"""Containers whose elements stand on lines of their own, with nothing between them."""
ENTRIES: Final = frozenset({
    "list", "set", "tuple", "dictionary", "argument_list", "array", "object", "named_imports", "export_clause",
    "enum_body", "literal_value", "use_list", "enum_variant_list", "enumerator_list", "array_expression",
    "field_initializer_list", "array_initializer", "inline_table", "arguments", "parameters", "formal_parameters",
    "flow_sequence", "flow_mapping",
})  # fmt: skip
"""Containers whose elements have commas between them."""
_PLACED: Final = frozenset({
    "argument_list", "arguments", "parameters", "formal_parameters", "tuple", "initializer_list",
})  # fmt: skip
"""Containers whose elements mean something by their place, unless they have a name or are plain strings."""
IMPORTS: Final = frozenset({
    "import_statement", "import_from_statement", "future_import_statement", "import_declaration", "import_spec",
    "use_declaration", "preproc_include",
})  # fmt: skip
_NAMED: Final = frozenset({
    "function_definition", "class_definition", "decorated_definition", "function_declaration",
    "class_declaration", "generator_function_declaration", "method_definition", "abstract_class_declaration",
    "interface_declaration", "enum_declaration", "type_alias_declaration", "internal_module",
    "public_field_definition", "field_definition", "method_signature", "property_signature",
    "method_declaration", "constructor_declaration", "field_declaration", "record_declaration",
    "type_declaration", "function_item", "struct_item", "enum_item", "trait_item", "mod_item", "const_item",
    "static_item", "type_item", "macro_definition", "struct_specifier", "class_specifier", "enum_specifier",
    "namespace_definition", "template_declaration", "preproc_def", "preproc_function_def", "enum_variant",
    "enumerator", "enum_constant", "enum_assignment", "type_definition", "alias_declaration",
    "lexical_declaration", "export_statement", "method_elem", "const_spec", "var_spec", "declaration",
    "variable_declarator", "field_initializer", "impl_item", "function_signature_item",
})  # fmt: skip
_PAIRS: Final = frozenset({
    "pair", "keyword_argument", "keyed_element", "block_mapping_pair", "flow_pair",
    "shorthand_property_identifier",
})  # fmt: skip
_STRINGS: Final = frozenset({"string", "concatenated_string", "interpreted_string_literal", "string_literal"})
_SPLATS: Final = frozenset({"dictionary_splat", "list_splat", "spread_element"})
_ORDERED_ITEM: Final = re.compile(r"\s*\d+[.)]")
_VERSION: Final = re.compile(r"\d+\.\d+|\d{4}-\d\d")


class Key(NamedTuple):
    """What tells an element from its siblings, and whether its place among them is free."""

    kind: str
    name: str
    free: bool


def key_of(parsed: Parsed, container: str, node: Node) -> Key:
    """The key of ``node``, an element of a container of that type."""
    text = " ".join(parsed.source(node).split())
    fixed = Key("fixed", text, free=False)
    if parsed.language.name == "markdown":
        return _of_markdown(parsed, node, text)
    if node.type in _SPLATS:
        return fixed
    if node.type in IMPORTS:
        return Key("import", _module(parsed, node) or text, free=True)
    if node.type in ("table", "table_array_element"):
        # [[arrays]] of tables repeat their name: only the whole tells them apart.
        named = node.type == "table" and node.named_children
        return Key("definition", parsed.source(node.named_children[0]) if named else text, free=True)
    if node.type in _PAIRS:
        return Key("pair", _label(parsed, node) or text, free=True)
    if node.type in _NAMED:
        name = name_of(parsed, node)
        return Key("definition", name, free=True) if name else fixed
    if (container in ENTRIES or container == "import_from_statement") and parsed.language.name != "markdown":
        return Key(
            "entry", text, free=container not in _PLACED or (container == "tuple" and node.type in _STRINGS)
        )
    if node.type in ("block_sequence_item", "flow_node"):
        return Key("entry", text, free=True)
    if node.type in ("rule_set", "declaration"):
        return Key(
            "rule", text.partition("{")[0] if node.type == "rule_set" else text.partition(":")[0], free=True
        )
    target = _assigned(parsed, node)
    return Key("assignment", target, free=True) if target else fixed


def name_of(parsed: Parsed, node: Node) -> str:
    """The name that ``node`` defines; empty when it is none, or more than one."""
    if node.type in ("lexical_declaration", "field_declaration", "type_declaration") and len(_declared(node)) > 1:
        return ""
    for label in ("name", "definition", "declaration", "declarator", "type"):
        inner = node.child_by_field_name(label)
        if inner is None:
            continue
        if label == "name" or inner.child_count == 0:
            return parsed.source(inner)
        found = name_of(parsed, inner)
        if found:
            return found
    only = [child for child in node.named_children if child.type in ("variable_declarator", "type_spec")]
    return name_of(parsed, only[0]) if len(only) == 1 else ""


def _declared(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type in ("variable_declarator", "type_spec")]


def _label(parsed: Parsed, node: Node) -> str:
    label = node.child_by_field_name("key") or node.child_by_field_name("name")
    if label is None and node.named_children:
        label = node.named_children[0]
    return "" if label is None else parsed.source(label)


def _module(parsed: Parsed, node: Node) -> str:
    """What is imported from, for imports whose names can be united."""
    source = node.child_by_field_name("module_name") or node.child_by_field_name("source")
    if node.type == "use_declaration":
        names = node.child_by_field_name("argument")
        source = None if names is None or names.type != "scoped_use_list" else names.child_by_field_name("path")
    if source is None:
        return ""
    kinds = sorted({child.type for child in node.children if child.type not in (",", "comment", "(", ")")})
    clause = [child for child in node.named_children if child.type == "import_clause"]
    shape = ",".join(child.type for part in clause for child in part.children)
    marks = ("*" if "wildcard_import" in kinds else "") + ("t" if "type" in kinds else "")
    return f"{parsed.source(source)} {shape} {marks}"


def _assigned(parsed: Parsed, node: Node) -> str:
    """What a Python statement assigns to, if that is one name or attribute."""
    if node.type != "expression_statement" or node.named_child_count != 1:
        return ""
    assignment = node.named_children[0]
    left = assignment.child_by_field_name("left")
    if assignment.type != "assignment" or left is None or left.type not in ("identifier", "attribute"):
        return ""
    right = assignment.child_by_field_name("right")
    if right is not None and right.type in ("await", "yield", "assignment"):
        return ""
    return parsed.source(left)


def _of_markdown(parsed: Parsed, node: Node, text: str) -> Key:
    if node.type == "list_item":
        return Key("entry", text, free=_ORDERED_ITEM.match(text) is None)
    if node.type == "pipe_table_row":
        return Key("entry", text, free=True)
    if node.type == "section" and node.named_children and "heading" in node.named_children[0].type:
        heading = parsed.source(node.named_children[0]).strip()
        return Key("definition", heading, free=_VERSION.search(heading) is None)
    return Key("fixed", text, free=False)
