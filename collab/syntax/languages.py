"""The languages whose syntax is known: how their files are called, and what defines a symbol in them.

A definition query is in tree-sitter's query language. Its captures: ``@name`` is the name of a symbol, and a
capture named after one of :data:`KINDS` is the whole definition. ``@scope`` is no symbol of its own, but what is
inside belongs to the ``@name`` in it (an ``impl`` block in Rust, for instance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KINDS: Final = frozenset(
    "function method class interface enum type module variable macro rule key section".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its grammar's Python module and constructor, its file names, its definitions."""

    name: str
    module: str
    suffixes: tuple[str, ...]
    factory: str = "language"
    filenames: tuple[str, ...] = ()
    definitions: str = ""


_PYTHON = """
(function_definition name: (_) @name) @function
(class_definition name: (_) @name) @class
(module (expression_statement (assignment left: (identifier) @name)) @variable)
(class_definition body: (block (expression_statement (assignment left: (identifier) @name)) @variable))
"""
_JAVASCRIPT = """
(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(class_declaration name: (_) @name) @class
(method_definition name: (_) @name) @method
(program (lexical_declaration (variable_declarator name: (identifier) @name) @variable))
(program (variable_declaration (variable_declarator name: (identifier) @name) @variable))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @variable))
"""
_TYPESCRIPT = """
(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(enum_declaration name: (_) @name) @enum
(type_alias_declaration name: (_) @name) @type
(internal_module name: (_) @name) @module
(public_field_definition name: (_) @name) @variable
(method_signature name: (_) @name) @method
(abstract_method_signature name: (_) @name) @method
(property_signature name: (_) @name) @variable
"""
_GO = """
(function_declaration name: (_) @name) @function
(method_declaration name: (_) @name) @method
(type_spec name: (_) @name) @type
(source_file (const_declaration (const_spec name: (_) @name) @variable))
(source_file (var_declaration (var_spec name: (_) @name) @variable))
"""
_RUST = """
(function_item name: (_) @name) @function
(function_signature_item name: (_) @name) @function
(struct_item name: (_) @name) @class
(enum_item name: (_) @name) @enum
(trait_item name: (_) @name) @interface
(mod_item name: (_) @name) @module
(type_item name: (_) @name) @type
(const_item name: (_) @name) @variable
(static_item name: (_) @name) @variable
(macro_definition name: (_) @name) @macro
(impl_item type: (_) @name) @scope
"""
_JAVA = """
(class_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(enum_declaration name: (_) @name) @enum
(method_declaration name: (_) @name) @method
(constructor_declaration name: (_) @name) @method
(field_declaration declarator: (variable_declarator name: (_) @name)) @variable
"""
_C = """
(function_definition declarator: (function_declarator declarator: (_) @name)) @function
(function_definition
  declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name))) @function
(struct_specifier name: (_) @name body: (_)) @class
(union_specifier name: (_) @name body: (_)) @class
(enum_specifier name: (_) @name body: (_)) @enum
(type_definition declarator: (type_identifier) @name) @type
(preproc_def name: (_) @name) @macro
(preproc_function_def name: (_) @name) @macro
"""
_CPP = """
(class_specifier name: (_) @name body: (_)) @class
(namespace_definition name: (_) @name) @module
(alias_declaration name: (_) @name) @type
(function_definition declarator: (reference_declarator (function_declarator declarator: (_) @name))) @function
"""
_CSS = "(rule_set (selectors) @name) @rule"
_JSON = "(pair key: (_) @name) @key"
_TOML = """
(table [(bare_key) (dotted_key) (quoted_key)] @name) @section
(table_array_element [(bare_key) (dotted_key) (quoted_key)] @name) @section
(pair [(bare_key) (dotted_key) (quoted_key)] @name) @key
"""
_YAML = "(block_mapping_pair key: (_) @name) @key"
_MARKDOWN = "(section (atx_heading heading_content: (_) @name)) @section"

LANGUAGES: Final = (
    Language("python", "tree_sitter_python", (".py", ".pyi", ".pyw"), definitions=_PYTHON),
    Language("javascript", "tree_sitter_javascript", (".js", ".mjs", ".cjs", ".jsx"), definitions=_JAVASCRIPT),
    Language(
        "typescript",
        "tree_sitter_typescript",
        (".ts", ".mts", ".cts"),
        "language_typescript",
        definitions=_JAVASCRIPT + _TYPESCRIPT,
    ),
    Language("tsx", "tree_sitter_typescript", (".tsx",), "language_tsx", definitions=_JAVASCRIPT + _TYPESCRIPT),
    Language("html", "tree_sitter_html", (".html", ".htm")),
    Language("css", "tree_sitter_css", (".css",), definitions=_CSS),
    Language(
        "json",
        "tree_sitter_json",
        (".json", ".webmanifest", ".jsonl"),
        filenames=(".babelrc", ".eslintrc"),
        definitions=_JSON,
    ),
    Language("go", "tree_sitter_go", (".go",), definitions=_GO),
    Language("rust", "tree_sitter_rust", (".rs",), definitions=_RUST),
    Language("java", "tree_sitter_java", (".java",), definitions=_JAVA),
    Language("c", "tree_sitter_c", (".c", ".h"), definitions=_C),
    Language("cpp", "tree_sitter_cpp", (".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx"), definitions=_C + _CPP),
    Language("markdown", "tree_sitter_markdown", (".md", ".markdown"), definitions=_MARKDOWN),
    Language(
        "toml",
        "tree_sitter_toml",
        (".toml",),
        filenames=("Cargo.lock", "poetry.lock", "uv.lock", "Pipfile"),
        definitions=_TOML,
    ),
    Language("yaml", "tree_sitter_yaml", (".yml", ".yaml"), definitions=_YAML),
)


def language_of(path: str) -> Language | None:
    """The language of the file ``path``, by its last part's name; None when it is not known."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    suffix = name[dot:].lower() if dot >= 0 else ""
    for language in LANGUAGES:
        if name in language.filenames or (suffix and suffix in language.suffixes):
            return language
    return None
