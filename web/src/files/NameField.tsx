import { useId, useState, type KeyboardEvent } from "react";
import { FileRefused } from "./changing";

interface Props {
  label: string;
  testid: string;
  value: string;
  placeholder?: string;
  /** Takes the name; may raise FileRefused, which is shown. */
  submit: (value: string) => void;
  close: () => void;
}

/** A field for a path: Enter takes it, Escape gives up. */
export function NameField({ label, testid, value, placeholder, submit, close }: Props) {
  const id = useId();
  const [text, setText] = useState(value);
  const [problem, setProblem] = useState<string | null>(null);

  const take = (): void => {
    try {
      submit(text);
      close();
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error;
      setProblem(error.message);
    }
  };
  const keys = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === "Enter") take();
    else if (event.key === "Escape") close();
  };
  const select = (input: HTMLInputElement | null): void => {
    if (!input || document.activeElement === input) return;
    input.focus();
    const start = value.lastIndexOf("/") + 1;
    const dot = value.lastIndexOf(".");
    input.setSelectionRange(start, dot > start ? dot : value.length);
  };

  return (
    <div className="name-field">
      <input
        ref={select}
        className="input mono"
        data-testid={testid}
        aria-label={label}
        aria-invalid={problem !== null}
        aria-describedby={problem ? id : undefined}
        value={text}
        placeholder={placeholder}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
          setProblem(null);
        }}
        onKeyDown={keys}
        onBlur={() => {
          if (text === value || text.trim() === "") close();
        }}
      />
      {problem && (
        <p id={id} className="small error" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
