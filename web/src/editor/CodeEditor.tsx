/** One file in CodeMirror, bound to its shared text. */
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import type * as Y from "yjs";
import { BlameLine } from "../blame/BlameLine";
import { useBlame } from "../blame/useBlame";
import { SuggestionCard } from "../ai/SuggestionCard";
import type { Suggestion } from "../messages";
import { SessionContext, useRoom, useSession } from "../store/context";
import type { RoomSession } from "../store/session";
import { editorExtensions } from "./extensions";
import { showSuggestions } from "./inlineSuggestions";
import { loadLanguage } from "./languages";

/** Where a person was in each file; so that switching between files does not lose the place. */
const places = new WeakMap<Y.Text, { anchor: number; top: number }>();

function InlineCard({ id, leave }: { id: string; leave: () => void }) {
  const suggestion = useRoom((state) => state.ai.suggestions.find((one) => one.suggestion === id));
  return suggestion ? <SuggestionCard suggestion={suggestion} inline leave={leave} /> : null;
}

function drawCard(session: RoomSession) {
  return (element: HTMLElement, suggestion: Suggestion, view: EditorView) => {
    const root = createRoot(element);
    root.render(
      <SessionContext value={session}>
        <InlineCard id={suggestion.suggestion} leave={() => view.focus()} />
      </SessionContext>,
    );
    return () => {
      const focused = element.contains(document.activeElement);
      // React does not allow to take a root away while it draws, which may be now.
      queueMicrotask(() => {
        root.unmount();
        // Who answered by keys goes on in the text.
        if (focused && view.dom.isConnected && !document.querySelector("dialog[open]")) view.focus();
      });
    };
  };
}

export function CodeEditor({ file, path, text }: { file: string; path: string; text: Y.Text }) {
  const session = useSession();
  const dark = useRoom((state) => state.theme === "dark");
  const suggestions = useRoom((state) => state.ai.suggestions);
  const reveal = useRoom((state) => state.reveal);
  const holder = useRef<HTMLDivElement>(null);
  const [compartments] = useState(() => ({ language: new Compartment(), look: new Compartment(), blame: new Compartment() }));
  const [made, setMade] = useState<{ view: EditorView; text: Y.Text } | null>(null);
  // When another file is opened, the view of the one before is gone before its successor is known here.
  const view = made?.text === text ? made.view : null;

  useEffect(() => {
    if (!holder.current) return;
    const place = places.get(text);
    const created = new EditorView({
      parent: holder.current,
      state: EditorState.create({
        doc: text.toString(),
        selection: { anchor: Math.min(place?.anchor ?? 0, text.length) },
        extensions: editorExtensions({
          ...compartments,
          text,
          awareness: session.awareness,
          undoManager: session.undoManager(file, text),
          dark: session.store.getState().theme === "dark",
          label: "Text of the file. Tab indents; Escape, then Tab, leaves it.",
          drawSuggestion: drawCard(session),
        }),
      }),
    });
    if (place) created.scrollDOM.scrollTop = place.top;
    setMade({ view: created, text });
    return () => {
      places.set(text, { anchor: created.state.selection.main.anchor, top: created.scrollDOM.scrollTop });
      created.destroy();
      setMade(null);
    };
  }, [session, file, text, compartments]);

  useEffect(() => {
    if (!view) return;
    let current = true;
    loadLanguage(path).then(
      (language) => current && view.dispatch({ effects: compartments.language.reconfigure(language ?? []) }),
      (error: unknown) => console.warn(`The language of ${path} could not be loaded; shown as plain text.`, error),
    );
    return () => {
      current = false;
    };
  }, [view, path, compartments]);

  useEffect(() => {
    view?.dispatch({ effects: compartments.look.reconfigure(EditorView.darkTheme.of(dark)) });
  }, [view, dark, compartments]);

  useEffect(() => {
    if (!view) return;
    showSuggestions(
      view,
      suggestions.filter((one) => one.state === "open" && one.file === file),
    );
  }, [view, file, suggestions]);

  useEffect(() => {
    if (!view || !reveal || reveal.file !== file) return;
    if (reveal.position !== null) {
      const position = Math.min(reveal.position, view.state.doc.length);
      view.dispatch({
        effects: EditorView.scrollIntoView(position, { y: "center" }),
        ...(reveal.cursor && { selection: { anchor: position } }),
      });
    }
    if (reveal.focus) view.focus();
    session.store.setState({ reveal: null });
  }, [view, file, reveal, session]);

  const blamed = useBlame(view, path, compartments.blame);
  const blame = useRoom((state) => state.blame);
  return (
    <>
      <div className="code" ref={holder} />
      {blame && <BlameLine line={blamed} />}
    </>
  );
}
