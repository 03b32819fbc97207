import { ActionIcon, Button, Menu, Text, Textarea, TextInput, Tooltip } from '@mantine/core';
import { IconBold, IconBraces, IconCode, IconItalic, IconStrikethrough } from '@tabler/icons-react';
import { useRef } from 'react';
import { nextVariable, variablesIn } from '../placeholders';
import { useEditor, useField } from './context';
import classes from './editor.module.css';
import { FieldWarning } from './field-warning';
import { wrapSelection } from './wrap';

interface TextWithVariablesProps {
  /** Whose text: `header.text`, `body`, `card.0.body`; its samples stand under `place`. */
  field: string;
  place: string;
  label: string;
  description?: string;
  text: string;
  onChange: (text: string) => void;
  limit: number;
  /** A header is one line, without marks, and takes one variable. */
  single?: boolean;
  required?: boolean;
}

const names = ['first_name', 'full_name', 'company', 'order_number', 'date', 'time', 'amount'];

export function TextWithVariables({
  field,
  place,
  label,
  description,
  text,
  onChange,
  limit,
  single,
  required,
}: TextWithVariablesProps) {
  const { values } = useEditor();
  const { props, warning } = useField(field);
  const area = useRef<HTMLTextAreaElement & HTMLInputElement>(null);
  const variables = variablesIn(text);
  const length = [...text].length;

  const select = (from: number, to: number) =>
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(from, to);
    });
  const insert = (name: string) => {
    const at = area.current?.selectionStart ?? text.length;
    const end = area.current?.selectionEnd ?? at;
    onChange(`${text.slice(0, at)}{{${name}}}${text.slice(end)}`);
    // A name is there to be changed, a number is not.
    const isOwn = name.startsWith('value');
    const behind = at + name.length + 4;
    select(isOwn ? at + 2 : behind, isOwn ? behind - 2 : behind);
  };
  const wrap = (sign: string) => {
    const box = area.current;
    const next = wrapSelection(
      text,
      box?.selectionStart ?? text.length,
      box?.selectionEnd ?? text.length,
      sign,
    );
    onChange(next.text);
    select(next.from, next.to);
  };
  const shared = {
    ...props,
    ref: area,
    label,
    description,
    withAsterisk: required,
    value: text,
    dir: 'auto' as const,
    onChange: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
  };
  return (
    <div>
      {single ? <TextInput {...shared} /> : <Textarea {...shared} autosize minRows={4} maxRows={14} />}
      <div className={classes.tools}>
        {!single && <Marks onWrap={wrap} />}
        {!(single && variables.length > 0) && (
          <VariableMenu
            used={variables}
            onInsert={(name) => insert(name ?? nextVariable(values.format, variables))}
            label={label}
          />
        )}
        <Text size="sm" c={length > limit ? 'red' : 'dimmed'} className={classes.counter}>
          {length} / {limit.toLocaleString()}
        </Text>
      </div>
      <FieldWarning>{warning}</FieldWarning>
      {variables.length > 0 && <Samples place={place} variables={variables} label={label} />}
    </div>
  );
}

const marks = [
  { sign: '*', label: 'Bold', Icon: IconBold },
  { sign: '_', label: 'Italic', Icon: IconItalic },
  { sign: '~', label: 'Strikethrough', Icon: IconStrikethrough },
  { sign: '```', label: 'Monospace', Icon: IconCode },
];

function Marks({ onWrap }: { onWrap: (sign: string) => void }) {
  return marks.map(({ sign, label, Icon }) => (
    <Tooltip key={sign} label={label}>
      <ActionIcon
        aria-label={label}
        // The text keeps its selection.
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => onWrap(sign)}
      >
        <Icon size={18} />
      </ActionIcon>
    </Tooltip>
  ));
}

interface VariableMenuProps {
  used: string[];
  onInsert: (name?: string) => void;
  label: string;
}

function VariableMenu({ used, onInsert, label }: VariableMenuProps) {
  const { values } = useEditor();
  const button = {
    size: 'compact-md' as const,
    variant: 'subtle' as const,
    color: 'gray',
    leftSection: <IconBraces size={16} aria-hidden />,
    className: classes.insert,
    'aria-label': `Add a variable to ${label.toLowerCase()}`,
  };
  if (values.format === 'positional')
    return (
      <Button {...button} onMouseDown={(event) => event.preventDefault()} onClick={() => onInsert()}>
        Variable
      </Button>
    );
  return (
    <Menu position="bottom-start" returnFocus={false}>
      <Menu.Target>
        <Button {...button}>Variable</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {names
          .filter((name) => !used.includes(name))
          .map((name) => (
            <Menu.Item key={name} onClick={() => onInsert(name)}>
              {`{{${name}}}`}
            </Menu.Item>
          ))}
        <Menu.Divider />
        <Menu.Item onClick={() => onInsert()}>Another name…</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Meta looks at the message as one customer would get it, so each variable needs a realistic sample. */
function Samples({ place, variables, label }: { place: string; variables: string[]; label: string }) {
  return (
    <fieldset className={classes.samples}>
      <legend>Samples for Meta, as one customer would see them</legend>
      {variables.map((name) => (
        <Sample key={name} place={place} name={name} label={label} />
      ))}
    </fieldset>
  );
}

function Sample({ place, name, label }: { place: string; name: string; label: string }) {
  const { values, change } = useEditor();
  const key = `${place}.${name}`;
  const { props, warning } = useField(`sample.${key}`);
  return (
    <div>
      <TextInput
        {...props}
        label={`{{${name}}}`}
        aria-label={`Sample of ${name} in ${label.toLowerCase()}`}
        dir="auto"
        value={values.samples[key] ?? ''}
        onChange={(event) => change({ samples: { ...values.samples, [key]: event.currentTarget.value } })}
      />
      <FieldWarning>{warning}</FieldWarning>
    </div>
  );
}
