/** The editor's looks. Colours are CSS variables, so that light and dark need no second theme. */
import { syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

export const editorTheme: Extension = [
  syntaxHighlighting(classHighlighter),
  EditorView.theme({
    "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--page)", fontSize: "var(--code-size)" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
    ".cm-content": { padding: "12px 0 40vh", caretColor: "var(--accent)" },
    ".cm-line": { padding: "0 16px 0 8px" },
    ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
    ".cm-gutters": { backgroundColor: "var(--page)", color: "var(--faint)", border: "none", paddingLeft: "8px" },
    ".cm-activeLine": { backgroundColor: "var(--active-line)" },
    ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--text)" },
    ".cm-selectionBackground": { backgroundColor: "var(--selection)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
      backgroundColor: "var(--selection)",
    },
    ".cm-selectionMatch": { backgroundColor: "var(--match)" },
    "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--match)", outline: "1px solid var(--line)" },
    ".cm-foldPlaceholder": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", color: "var(--muted)" },
    ".cm-panels": { backgroundColor: "var(--panel)", color: "var(--text)" },
    ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
    ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
    ".cm-textfield": { backgroundColor: "var(--page)", border: "1px solid var(--line)", borderRadius: "6px" },
    ".cm-button": { backgroundImage: "none", backgroundColor: "var(--raised)", border: "1px solid var(--line)", borderRadius: "6px" },
    ".cm-searchMatch": { backgroundColor: "var(--match)" },
    ".cm-searchMatch-selected": { backgroundColor: "var(--selection)", outline: "1px solid var(--accent)" },
    ".cm-tooltip": { backgroundColor: "var(--panel)", border: "1px solid var(--line)", borderRadius: "6px" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
    ".cm-remote-selection": { backgroundColor: "color-mix(in srgb, var(--who) 24%, transparent)" },
    ".cm-remote-caret": {
      position: "relative",
      borderLeft: "2px solid var(--who)",
      marginLeft: "-1px",
      marginRight: "-1px",
    },
    ".cm-remote-name": {
      position: "absolute",
      left: "-2px",
      bottom: "100%",
      padding: "0 5px",
      borderRadius: "4px 4px 4px 0",
      background: "var(--who)",
      color: "#fff",
      font: "600 11px/16px var(--sans)",
      whiteSpace: "nowrap",
      pointerEvents: "none",
      zIndex: "20",
    },
    ".cm-remote-name::after": { content: "attr(data-name)" },
    ".cm-remote-name.cm-remote-below": { bottom: "auto", top: "100%", borderRadius: "0 4px 4px 4px" },
  }),
];
