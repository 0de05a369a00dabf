/** Finds files and lines of the project; while it holds a question, what was found stands in the place of the tree. */
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { SHORTCUTS } from "../layout/shortcuts";
import type { SearchResult } from "../messages";
import { useRoom, useSession } from "../store/context";
import { marked, placesOf, type Place } from "./hits";

/** So long nobody types before the server is asked. */
const SETTLE_MS = 200;
const MOST_CHARS = 1_000;

/** What was found for the last question that was answered; the one before stays until then. */
function useFound(question: string): { found: SearchResult | null; busy: boolean } {
  const session = useSession();
  const [state, setState] = useState<{ for: string; found: SearchResult | null }>({ for: "", found: null });
  useEffect(() => {
    if (question === "") {
      setState({ for: "", found: null });
      return;
    }
    let current = true;
    const timer = setTimeout(() => {
      void session.search(question).then((found) => {
        if (current) setState({ for: question, found });
      });
    }, SETTLE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [session, question]);
  return { found: state.found, busy: state.for !== question };
}

function Marked({ text, question }: { text: string; question: string }) {
  return marked(text, question).map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part));
}

interface FoundProps {
  id: string;
  places: Place[];
  active: number;
  question: string;
  take: (place: Place) => void;
}

function Found({ id, places, active, question, take }: FoundProps) {
  return (
    <ul id={id} role="listbox" aria-label="Found in the project" className="found">
      {places.map((place, index) => (
        <li
          key={`${place.file}:${place.line}`}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          aria-label={place.line === null ? place.path : `${place.path}, line ${place.line}: ${place.text}`}
          data-testid="search-hit"
          data-path={place.path}
          data-line={place.line ?? undefined}
          title={place.line === null ? place.path : `${place.path}:${place.line}\n${place.text}`}
          className="found-row"
          // The field keeps the focus, so that the arrows go on working.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => take(place)}
        >
          {place.why !== null && (
            <>
              <span className="found-path ellipsis">{place.path}</span>
              {place.why && <span className="found-why ellipsis muted">{place.why}</span>}
            </>
          )}
          {place.line !== null && (
            <span className="found-line ellipsis mono">
              <span className="muted">{place.line}</span> <Marked text={place.text} question={question} />
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

export function SearchBox({ children }: { children: ReactNode }) {
  const session = useSession();
  const id = useId();
  const online = useRoom((state) => state.server !== null);
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const question = text.trim();
  const { found, busy } = useFound(question);
  const places = found ? placesOf(found.hits) : [];
  const at = Math.min(active, places.length - 1);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const keys = (event: KeyboardEvent): void => {
    switch (event.key) {
      case "ArrowDown":
        setActive(Math.min(at + 1, places.length - 1));
        break;
      case "ArrowUp":
        setActive(Math.max(at - 1, 0));
        break;
      case "Enter": {
        const place = places[at];
        if (place) session.openAt(place.file, place.line, true);
        break;
      }
      case "Escape":
        setText("");
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  return (
    <>
      <div className="search-field">
        <input
          id="search"
          type="search"
          className="input"
          data-testid="search"
          role="combobox"
          aria-label="Search the project"
          aria-keyshortcuts={SHORTCUTS.search}
          aria-expanded={question !== ""}
          aria-controls={id}
          aria-activedescendant={places.length > 0 ? `${id}-${at}` : undefined}
          placeholder="Search the project"
          title={`Search the project (${SHORTCUTS.search})`}
          maxLength={MOST_CHARS}
          autoComplete="off"
          spellCheck={false}
          disabled={!online}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          onKeyDown={keys}
        />
      </div>
      {question === "" ? (
        children
      ) : (
        <div className="found-all" ref={list} data-testid="search-found" aria-busy={busy}>
          <p className="muted small pad" aria-live="polite">
            {busy ? "Searching…" : found === null ? "The server could not search." : told(found, places.length)}
          </p>
          <Found id={id} places={places} active={at} question={question} take={(place) => session.openAt(place.file, place.line, false)} />
        </div>
      )}
    </>
  );
}

function told(found: SearchResult, places: number): string {
  const files = found.hits.length === 1 ? "1 file" : `${found.hits.length} files`;
  return [places === 0 ? "Nothing was found." : `Found in ${files}, the best first.`, found.note].filter(Boolean).join(" ");
}
