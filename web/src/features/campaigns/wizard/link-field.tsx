import { TextInput } from '@mantine/core';
import { useState } from 'react';

/** A half-typed link stays here: the draft holds only whole ones. */
export function LinkField({
  label,
  link,
  onChange,
}: {
  label: string;
  link: string;
  onChange: (link: string) => void;
}) {
  const [typed, setTyped] = useState(link);
  return (
    <TextInput
      type="url"
      label={label}
      description="Everybody gets a link of their own, so that clicks can be counted."
      placeholder="https://example.com/offer"
      value={typed}
      onChange={(event) => {
        const next = event.currentTarget.value.trim();
        setTyped(next);
        if (!linkProblem(next)) onChange(next);
      }}
      error={linkProblem(typed)}
    />
  );
}

export function linkProblem(link: string | undefined): string | undefined {
  if (link === undefined) return undefined;
  try {
    return new URL(link).protocol === 'https:' ? undefined : 'The link must begin with https://';
  } catch {
    return 'Write a whole link, such as https://example.com/offer';
  }
}
