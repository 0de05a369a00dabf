/** A small editor for a text that is not shared: what somebody writes by hand, or a file as it was. */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";
import { carriageReturns } from "../editor/carriageReturns";
import { styleNonce } from "../editor/extensions";
import { loadLanguage } from "../editor/languages";
import { editorTheme } from "../editor/theme";
import { useSession } from "../store/context";

interface Props {
  /** The text to begin with; another one later begins anew. */
  text: string;
  path: string;
  label: string;
  /** Left out: it can only be read. */
  changed?: (text: string) => void;
  focus?: boolean;
}

export function HandEditor({ text, path, label, changed, focus = false }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const told = useRef(changed);
  told.current = changed;
  const session = useSession();
  const editable = changed !== undefined;
  const [language] = useState(() => new Compartment());

  useEffect(() => {
    if (!holder.current) return;
    const view = new EditorView({
      parent: holder.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          EditorView.cspNonce.of(styleNonce()),
          EditorState.lineSeparator.of("\n"),
          lineNumbers(),
          carriageReturns(),
          highlightSpecialChars(),
          history(),
          // Tab is left to the browser, so that it leads on to the buttons.
          keymap.of([...defaultKeymap, ...historyKeymap]),
          language.of([]),
          EditorView.darkTheme.of(session.store.getState().theme === "dark"),
          editorTheme,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, "data-gramm": "false", tabindex: "0" }),
          editable ? [] : [EditorState.readOnly.of(true), EditorView.editable.of(false)],
          EditorView.updateListener.of((update) => {
            if (update.docChanged) told.current?.(update.state.sliceDoc());
          }),
        ],
      }),
    });
    if (focus) view.focus();
    let current = true;
    loadLanguage(path).then(
      (found) => current && view.dispatch({ effects: language.reconfigure(found ?? []) }),
      (error: unknown) => console.warn(`The language of ${path} could not be loaded; shown as plain text.`, error),
    );
    return () => {
      current = false;
      view.destroy();
    };
  }, [text, path, label, editable, focus, session, language]);

  return <div className={editable ? "hand-editor" : "hand-editor read"} ref={holder} />;
}
