/** Takes dropped and chosen files on their way into the room, and shows what came of it. */
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { Dialog } from "../layout/Dialog";
import { useSession } from "../store/context";
import { fromDrop, type Picked } from "./collecting";
import { ImportContext } from "./importContext";
import {
  commonFolder,
  isZip,
  selectDropped,
  selectPicked,
  sendZip,
  withoutLarge,
  zipFiles,
  type ImportResult,
  type Selected,
} from "./importing";

type Stage =
  | { kind: "idle" }
  | { kind: "over" }
  | { kind: "choice"; folder: string; selected: Selected }
  | { kind: "busy"; text: string }
  | { kind: "result"; result: ImportResult }
  | { kind: "failed"; message: string };

const SHOWN = 500;

function Result({ result }: { result: ImportResult }) {
  const { created, updated, unchanged, left_out: leftOut } = result;
  return (
    <>
      <p data-testid="import-summary">
        {created.length} created, {updated.length} updated, {unchanged} unchanged, {leftOut.length} left out.
      </p>
      {leftOut.length > 0 && (
        <table className="left-out" data-testid="import-left-out">
          <thead>
            <tr>
              <th scope="col">Left out</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {leftOut.slice(0, SHOWN).map(({ path, reason }) => (
              <tr key={path}>
                <td className="mono">{path}</td>
                <td>{reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {leftOut.length > SHOWN && <p className="muted small">And {leftOut.length - SHOWN} more.</p>}
    </>
  );
}

export function Importer({ children }: { children: ReactNode }) {
  const session = useSession();
  const [stage, setStage] = useState<Stage>({ kind: "idle" });
  const busy = useRef(false);
  const idle = useCallback(() => setStage({ kind: "idle" }), []);
  const progress = useCallback((text: string) => setStage({ kind: "busy", text }), []);

  const guarded = useCallback(async (work: () => Promise<void>): Promise<void> => {
    if (busy.current) return;
    busy.current = true;
    try {
      await work();
    } catch (error) {
      setStage({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    } finally {
      busy.current = false;
    }
  }, []);

  const send = useCallback(
    async (selected: Selected): Promise<void> => {
      const limit = session.store.getState().server?.limits["file_bytes"] ?? null;
      const { files, leftOut } = withoutLarge(selected, limit);
      if (files.length === 0) {
        setStage({ kind: "result", result: { created: [], updated: [], unchanged: 0, left_out: leftOut } });
        return;
      }
      const zip = await zipFiles(files, progress);
      progress("Sending…");
      const result = await sendZip(session.room, zip, true);
      setStage({ kind: "result", result: { ...result, left_out: [...leftOut, ...result.left_out] } });
    },
    [session, progress],
  );

  const choose = useCallback(
    async (selected: Selected): Promise<void> => {
      const folder = commonFolder(selected.files);
      if (folder === null) await send(selected);
      else setStage({ kind: "choice", folder, selected });
    },
    [send],
  );

  const bring = useCallback(
    (files: Picked[]) =>
      guarded(async () => {
        if (isZip(files)) {
          progress("Sending…");
          setStage({ kind: "result", result: await sendZip(session.room, files[0]!.file, false) });
        } else {
          progress("Reading…");
          await choose(await selectPicked(files));
        }
      }),
    [guarded, choose, progress, session],
  );

  // In the capture phase, or the editor would put a dropped file's text at the cursor.
  useEffect(() => {
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      setStage((now) => (now.kind === "idle" ? { kind: "over" } : now));
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setStage((now) => (now.kind === "over" ? { kind: "idle" } : now));
    };
    const drop = (event: DragEvent): void => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.stopPropagation();
      const dropping = fromDrop(event.dataTransfer);
      void dropping.then(async (dropped) => {
        if (dropped.folders.length === 0) return bring(dropped.files);
        return guarded(async () => {
          progress("Reading folders…");
          await choose(await selectDropped(dropped, progress));
        });
      });
    };
    addEventListener("dragover", over, true);
    addEventListener("dragleave", leave, true);
    addEventListener("drop", drop, true);
    return () => {
      removeEventListener("dragover", over, true);
      removeEventListener("dragleave", leave, true);
      removeEventListener("drop", drop, true);
    };
  }, [bring, choose, guarded, progress]);

  return (
    <ImportContext value={bring}>
      {children}
      {stage.kind === "over" && (
        <div className="drop-zone" aria-hidden="true">
          <p>Drop files, a folder or a zip to add them to this room</p>
        </div>
      )}
      {stage.kind === "choice" && (
        <Choice
          folder={stage.folder}
          selected={stage.selected}
          close={idle}
          send={(selected) => void guarded(() => send(selected))}
        />
      )}
      {stage.kind === "busy" && (
        <div className="toast-busy" role="status">
          {stage.text}
        </div>
      )}
      {stage.kind === "result" && (
        <Dialog title="Import" testid="import-result" close={idle} actions={<CloseButton close={idle} />}>
          <Result result={stage.result} />
        </Dialog>
      )}
      {stage.kind === "failed" && (
        <Dialog title="The import failed" testid="import-failed" close={idle} actions={<CloseButton close={idle} />}>
          <p>{stage.message}</p>
        </Dialog>
      )}
    </ImportContext>
  );
}

function CloseButton({ close }: { close: () => void }) {
  return (
    <button type="button" className="button primary" data-first onClick={close}>
      Close
    </button>
  );
}

interface ChoiceProps {
  folder: string;
  selected: Selected;
  close: () => void;
  send: (selected: Selected) => void;
}

/** A dropped folder may be the project itself or a part of it; only the person knows. */
function Choice({ folder, selected, close, send }: ChoiceProps) {
  const cut = (path: string): string => (path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path);
  const top = (): Selected => ({
    files: selected.files.map((one) => ({ ...one, path: cut(one.path) })),
    leftOut: selected.leftOut.map((one) => ({ ...one, path: cut(one.path) })),
  });
  return (
    <Dialog
      title={`Add ${selected.files.length.toLocaleString("en")} files of “${folder}”`}
      testid="import-choice"
      close={close}
      actions={
        <>
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="button" className="button" data-testid="import-keep-folder" onClick={() => (close(), send(selected))}>
            As folder {folder}/
          </button>
          <button type="button" className="button primary" data-first data-testid="import-top" onClick={() => (close(), send(top()))}>
            Into the top
          </button>
        </>
      }
    >
      <p>
        Into the top of the room if this folder is the project itself; as a folder if it is a part. Files with the same path
        are updated.
      </p>
      {selected.leftOut.length > 0 && <p className="muted small">Left out by .gitignore: {selected.leftOut.length}</p>}
    </Dialog>
  );
}
