/** The files of a version, and one of them as it was. */
import { useEffect, useState } from "react";
import type { VersionFile, VersionInfo } from "../messages";
import { HandEditor } from "../review/HandEditor";
import { useRoom } from "../store/context";
import { askFiles, askText } from "./asking";

type Loaded<T> = { value: T } | { problem: string } | null;

/** What an address answers, anew whenever its parts change; null while it is on its way. */
function useAnswer<T>(ask: (signal: AbortSignal) => Promise<T>, ...parts: string[]): Loaded<T> {
  const [found, setFound] = useState<Loaded<T>>(null);
  useEffect(() => {
    const abort = new AbortController();
    setFound(null);
    ask(abort.signal).then(
      (value) => setFound({ value }),
      (error: unknown) => {
        if (!abort.signal.aborted) setFound({ problem: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => abort.abort();
    // `ask` is made anew at each drawing; its parts say when it asks something else.
  }, parts);
  return found;
}

function Text({ version, path }: { version: VersionInfo; path: string }) {
  const room = useRoom((state) => state.room);
  const text = useAnswer((signal) => askText(room, version.version, path, signal), version.version, path);
  if (text === null) return <p className="muted small">Loading…</p>;
  if ("problem" in text) return <p className="small error">{text.problem}</p>;
  return (
    <div data-testid="text-then">
      <HandEditor text={text.value} path={path} label={`${path} as it was`} />
    </div>
  );
}

export function FilesThen({ version, restore }: { version: VersionInfo; restore: (file: VersionFile) => void }) {
  const room = useRoom((state) => state.room);
  const [path, setPath] = useState<string | null>(null);
  const files = useAnswer((signal) => askFiles(room, version.version, signal), version.version);
  if (files === null) return <p className="muted small">Loading…</p>;
  if ("problem" in files) return <p className="small error">{files.problem}</p>;
  const chosen = files.value.find((file) => file.path === path);
  return (
    <>
      <ul className="chips" aria-label="Files of this version">
        {files.value.map((file) => (
          <li key={file.file}>
            <button
              type="button"
              className="chip mono"
              data-testid="file-then"
              data-path={file.path}
              aria-pressed={file.path === path}
              onClick={() => setPath(file.path)}
            >
              {file.path}
            </button>
          </li>
        ))}
      </ul>
      {files.value.length === 0 && <p className="muted small">The room was empty.</p>}
      {chosen && (
        <>
          <div className="row wrap">
            <h4 className="mono">{chosen.path}</h4>
            <span className="grow" />
            <button type="button" className="button small" data-testid="restore-file-then" onClick={() => restore(chosen)}>
              Restore this file
            </button>
          </div>
          <Text version={version} path={chosen.path} />
        </>
      )}
    </>
  );
}
