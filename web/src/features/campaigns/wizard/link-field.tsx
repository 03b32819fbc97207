import { TextInput } from '@mantine/core';
import { linkProblem } from './link-problem';

/** A half-typed link is in the draft, which neither saves it nor goes on with it. */
export function LinkField({
  label,
  link,
  onChange,
}: {
  label: string;
  link: string;
  onChange: (link: string) => void;
}) {
  return (
    <TextInput
      type="url"
      label={label}
      description="Everybody gets a link of their own, so that clicks can be counted."
      placeholder="https://example.com/offer"
      value={link}
      onChange={(event) => onChange(event.currentTarget.value.trim())}
      error={linkProblem(link)}
    />
  );
}
