/** Which files the AI looks at first: the open one, unless it is taken out, and any others. */
import { useId, useMemo, useState } from "react";
import type { RoomFile } from "../files/listing";
import { useRoom } from "../store/context";

const SHOWN = 50;

export function FilePicker({ chosen, toggle }: { chosen: ReadonlySet<string>; toggle: (file: string) => void }) {
  const files = useRoom((state) => state.files);
  const openFile = useRoom((state) => state.openFile);
  const [filter, setFilter] = useState("");
  const id = useId();
  const matching = useMemo(() => {
    const needle = filter.trim().toLowerCase();
    const rank = (file: RoomFile): number => (file.id === openFile ? 0 : chosen.has(file.id) ? 1 : 2);
    return files
      .filter((file) => !needle || file.shown.toLowerCase().includes(needle))
      .sort((a, b) => rank(a) - rank(b) || (a.shown < b.shown ? -1 : 1));
    // The order must not jump while boxes are ticked, so `chosen` is left out.
  }, [files, filter, openFile]);
  const names = files.filter((file) => chosen.has(file.id)).map((file) => file.shown);
  const summary = names.length === 0 ? "None" : names.length === 1 ? names[0] : `${names.length} files`;
  return (
    <details className="picker">
      <summary>
        <span className="muted">Look at first</span> <span className="mono">{summary}</span>
      </summary>
      <input
        type="search"
        className="input"
        placeholder="Find a file"
        aria-label="Find a file"
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
      />
      <ul className="picker-list" aria-label="Files to look at first">
        {matching.slice(0, SHOWN).map((file) => (
          <li key={file.id}>
            <label htmlFor={`${id}-${file.id}`}>
              <input id={`${id}-${file.id}`} type="checkbox" checked={chosen.has(file.id)} onChange={() => toggle(file.id)} />
              <span className="mono">{file.shown}</span>
              {file.id === openFile && <span className="muted small">open</span>}
            </label>
          </li>
        ))}
      </ul>
      {matching.length > SHOWN && <p className="muted small">{matching.length - SHOWN} more; type to find them.</p>}
    </details>
  );
}
