import { ActionIcon, Button, Menu, Text } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { ButtonFields, buttonNames } from './button-fields';
import { fieldId, useEditor, useField } from './context';
import classes from './editor.module.css';
import { FieldWarning } from './field-warning';
import { type ButtonKind, type ButtonValues, newButton } from './values';

/** How many of each Meta takes (reference/whatsapp.md §8.2). */
const most: Partial<Record<ButtonKind, number>> = {
  quick_reply: 10,
  url: 2,
  phone_number: 1,
  copy_code: 1,
  flow: 1,
  voice_call: 1,
  request_contact_info: 1,
  catalog: 1,
};
const MOST = 10;

export const swapped = <T,>(list: T[], from: number, to: number): T[] => {
  const next = [...list];
  const [item] = next.splice(from, 1);
  if (item !== undefined) next.splice(to, 0, item);
  return next;
};

export function ButtonsEditor() {
  const { values, change, redirect } = useEditor();
  const field = useField('buttons');
  const { buttons } = values;
  const set = (next: ButtonValues[]) => change({ buttons: next });
  const edit = (id: string, more: Partial<ButtonValues>) =>
    set(buttons.map((button) => (button.id === id ? { ...button, ...more } : button)));
  return (
    <section aria-labelledby="buttons-title" className={classes.group}>
      <div className={classes.groupHead} id={fieldId('buttons')} tabIndex={-1}>
        <Text component="h3" id="buttons-title" fw={600}>
          Buttons
        </Text>
        <AddButton buttons={buttons} onAdd={(kind) => set([...buttons, addedButton(kind, redirect)])} />
      </div>
      {field.error && (
        <Text size="sm" c="var(--mantine-color-error)">
          {field.error}
        </Text>
      )}
      <FieldWarning>{field.warning}</FieldWarning>
      {buttons.length === 0 && (
        <Text size="sm" c="dimmed">
          None yet. Quick replies come back as answers; the others open something.
        </Text>
      )}
      <ol className={classes.buttonList}>
        {buttons.map((button, index) => (
          <li key={button.id} className={classes.buttonCard} id={fieldId(`button.${index}`)} tabIndex={-1}>
            <ItemHead
              title={buttonNames[button.kind]}
              name={button.text || buttonNames[button.kind]}
              index={index}
              count={buttons.length}
              onMove={(to) => set(swapped(buttons, index, to))}
              onRemove={() => set(buttons.filter((each) => each.id !== button.id))}
            />
            <ButtonFields
              place={`button.${index}`}
              button={button}
              onChange={(more) => edit(button.id, more)}
              mayTrack
            />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A link is worth knowing about: clicks are counted unless somebody says no. */
const addedButton = (kind: ButtonKind, redirect: string) =>
  newButton(kind, kind === 'url' ? { tracked: true, redirect } : {});

export function AddButton({
  buttons,
  onAdd,
  kinds = Object.keys(most) as ButtonKind[],
  limit = MOST,
}: {
  buttons: ButtonValues[];
  onAdd: (kind: ButtonKind) => void;
  kinds?: ButtonKind[];
  limit?: number;
}) {
  const full = buttons.length >= limit;
  const count = (kind: ButtonKind) => buttons.filter((button) => button.kind === kind).length;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconPlus size={16} />} disabled={full}>
          Add button
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {kinds.map((kind) => (
          <Menu.Item key={kind} disabled={count(kind) >= (most[kind] ?? limit)} onClick={() => onAdd(kind)}>
            {buttonNames[kind]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface ItemHeadProps {
  title: string;
  /** What the buttons beside it say they move. */
  name: string;
  index: number;
  count: number;
  onMove: (to: number) => void;
  onRemove: () => void;
}

export function ItemHead({ title, name, index, count, onMove, onRemove }: ItemHeadProps) {
  return (
    <div className={classes.itemHead}>
      <Text fw={600} size="sm">
        {title}
      </Text>
      <div className={classes.itemTools}>
        <ActionIcon aria-label={`Move “${name}” up`} disabled={index === 0} onClick={() => onMove(index - 1)}>
          <IconArrowUp size={18} />
        </ActionIcon>
        <ActionIcon
          aria-label={`Move “${name}” down`}
          disabled={index === count - 1}
          onClick={() => onMove(index + 1)}
        >
          <IconArrowDown size={18} />
        </ActionIcon>
        <ActionIcon aria-label={`Remove “${name}”`} onClick={onRemove}>
          <IconTrash size={18} />
        </ActionIcon>
      </div>
    </div>
  );
}
