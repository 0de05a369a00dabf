import { useMemo, useRef, useSyncExternalStore } from "react";
import type { Suggestion } from "../messages";
import { useSession } from "../store/context";
import { liveOf, type Live } from "./place";

/** What stands in a suggestion's place now; once it is answered, what stood there then. */
export function useLive(suggestion: Suggestion): Live {
  const session = useSession();
  const version = useSyncExternalStore(session.texts.subscribe, () => session.texts.version);
  const before = useRef<Live | null>(null);
  return useMemo(() => {
    if (suggestion.state !== "open") return { text: suggestion.current, gone: null };
    const live = liveOf(suggestion, session.doc, session.texts.read);
    const same = before.current?.text === live.text && before.current.gone === live.gone;
    // The same object while it is the same, so that differences are not made anew at each key.
    return same && before.current ? before.current : (before.current = live);
  }, [session, suggestion, version]);
}
