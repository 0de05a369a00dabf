import { useEffect, useId, useRef, type ReactNode } from "react";

interface Props {
  title: string;
  testid: string;
  className?: string;
  close: () => void;
  actions: ReactNode;
  children: ReactNode;
}

/** A modal dialog of the browser: it keeps the focus, closes with Escape and gives the focus back. */
export function Dialog({ title, testid, className = "", close, actions, children }: Props) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    element?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`dialog ${className}`}
      aria-labelledby={id}
      data-testid={testid}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <h2 id={id}>{title}</h2>
      <div className="dialog-body">{children}</div>
      <footer className="row end">{actions}</footer>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  confirm: () => void;
  close: () => void;
}

export function ConfirmDialog({ title, text, action, confirm, close }: ConfirmProps) {
  return (
    <Dialog
      title={title}
      testid="confirm"
      close={close}
      actions={
        <>
          <button type="button" className="button" data-testid="confirm-no" onClick={close}>
            Cancel
          </button>
          <button
            type="button"
            className="button danger"
            data-testid="confirm-yes"
            data-first
            onClick={() => {
              confirm();
              close();
            }}
          >
            {action}
          </button>
        </>
      }
    >
      <p>{text}</p>
    </Dialog>
  );
}
