import { Compartment } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { useEffect, useState } from "react";
import { useRoom, useSession } from "../store/context";
import { askBlame } from "./asking";
import { blameMargin, type LineAuthor } from "./margin";
import { colorOfAuthor } from "./words";

/** Shows the margin in an editor while it is switched on; gives who wrote the cursor's line. */
export function useBlame(view: EditorView | null, path: string, place: Compartment): LineAuthor | null {
  const session = useSession();
  const on = useRoom((state) => state.blame);
  const [line, setLine] = useState<LineAuthor | null>(null);
  useEffect(() => {
    if (!view || !on) return;
    const margin = blameMargin({
      ask: (signal) => askBlame(session.room, path, signal),
      color: (author) => {
        const { people, ai } = session.store.getState();
        return colorOfAuthor(author, people, ai.jobs);
      },
      line: setLine,
      chosen: (author) => {
        if (author.job !== null) session.review(author.job);
      },
    });
    view.dispatch({ effects: place.reconfigure(margin) });
    return () => {
      setLine(null);
      // The editor may be gone already, when another file was opened.
      if (view.dom.isConnected) view.dispatch({ effects: place.reconfigure([]) });
    };
  }, [session, view, path, on, place]);
  return on ? line : null;
}
