import { ActionIcon, Group, Menu, NativeSelect, Select } from '@mantine/core';
import { IconDotsVertical, IconTrash } from '@tabler/icons-react';
import { type KeyboardEvent, memo } from 'react';
import { type NodeProblems, sameProblems, useBuilder } from './builder-context';
import type { Field, Json, Operator } from './model';
import { MoveItems, type NodePlace, onMoveKey } from './moves';
import classes from './rule-builder.module.css';
import type { EditLeaf } from './tree';
import { ValueEditor } from './value-editor';
import { firstValue } from './values';

interface RuleRowProps extends NodePlace {
  leaf: EditLeaf;
  problems: NodeProblems | undefined;
}

/** One rule: what to look at, how to compare, with what. */
export const RuleRow = memo(
  function RuleRow({ leaf, problems, ...place }: RuleRowProps) {
    const { act, setLeaf, fields, fieldChoices } = useBuilder();
    const field = fields.get(leaf.field);
    const operator = field?.operators.find((each) => each.operator === leaf.operator);
    const name = field?.label ?? 'New rule';
    const choices =
      leaf.field && !field
        ? [...fieldChoices, { group: 'No longer there', items: [{ value: leaf.field, label: leaf.field }] }]
        : fieldChoices;
    return (
      // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
      <div
        className={classes.row}
        data-node={leaf.id}
        role="group"
        aria-label={`Rule: ${name}`}
        onKeyDownCapture={(event) => {
          onMoveKey(event, leaf.id, act);
          onEnter(event);
        }}
      >
        <Select
          className={classes.field}
          aria-label="Look at"
          placeholder="Choose what to look at"
          data={choices}
          value={leaf.field || null}
          onChange={(value) => {
            const next = value ? fields.get(value) : undefined;
            if (next) setLeaf(leaf.id, chooseField(next, field, leaf));
          }}
          searchable
          openOnFocus={false}
          allowDeselect={false}
          selectFirstOptionOnChange
          nothingFoundMessage="Nothing by that name"
          error={problems?.field}
          data-part="field"
          maxDropdownHeight={320}
        />
        {field && (
          <NativeSelect
            className={classes.operator}
            aria-label={`How to compare ${name}`}
            value={leaf.operator}
            onChange={(event) => {
              const next = field.operators.find((each) => each.operator === event.currentTarget.value);
              if (next) setLeaf(leaf.id, chooseOperator(field, next, operator, leaf));
            }}
            data={[
              ...(operator ? [] : [{ value: leaf.operator, label: leaf.operator || 'Choose' }]),
              ...field.operators.map((each) => ({ value: each.operator, label: each.label })),
            ]}
            error={problems?.operator}
            data-part="operator"
          />
        )}
        {field && operator && operator.value !== 'none' && (
          <div className={classes.value}>
            <ValueEditor
              field={field}
              kind={operator.value}
              value={leaf.value ?? null}
              onChange={(value: Json) =>
                setLeaf(leaf.id, { field: leaf.field, operator: leaf.operator, value })
              }
              error={problems?.value}
            />
          </div>
        )}
        <Group gap={0} wrap="nowrap" className={classes.rowActions}>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={`More for the rule: ${name}`} data-part="more">
                <IconDotsVertical size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <MoveItems id={leaf.id} place={place} />
            </Menu.Dropdown>
          </Menu>
          <ActionIcon aria-label={`Delete the rule: ${name}`} onClick={() => act('delete', leaf.id)}>
            <IconTrash size={18} />
          </ActionIcon>
        </Group>
      </div>
    );
  },
  (a, b) =>
    a.leaf === b.leaf &&
    sameProblems(a.problems, b.problems) &&
    a.isFirst === b.isFirst &&
    a.isLast === b.isLast &&
    a.hasNeighbourGroup === b.hasNeighbourGroup &&
    a.isNested === b.isNested,
);

/**
 * The list forgets which option it marked when Enter comes right after the first letters (its index is set anew after
 * opening), and the key would go on to submit the form: the option that is marked is the one that is taken.
 */
function onEnter(event: KeyboardEvent) {
  const input = event.target as HTMLElement;
  if (event.key !== 'Enter' || event.nativeEvent.isComposing || input.dataset.part !== 'field') return;
  const list = document.getElementById(input.getAttribute('aria-controls') ?? '');
  event.preventDefault();
  const marked = list?.querySelector<HTMLElement>('[data-combobox-selected]');
  if (!marked) return;
  event.stopPropagation();
  marked.click();
}

type Choice = Omit<EditLeaf, 'id'>;

/** Another field keeps the comparison where it has the same; the value belonged to the old one. */
export function chooseField(next: Field, old: Field | undefined, leaf: Choice): Choice {
  const operator = next.operators.find((each) => each.operator === leaf.operator) ?? next.operators[0];
  if (!operator) return { field: next.field, operator: '', value: null };
  const was = old?.operators.find((each) => each.operator === leaf.operator);
  const isAlike =
    was?.value === operator.value &&
    old?.kind === next.kind &&
    next.options.length + old.options.length === 0;
  const value = isAlike ? leaf.value : firstValue(next, operator);
  return { field: next.field, operator: operator.operator, value };
}

/** Another comparison keeps the value where both take the same kind. */
export function chooseOperator(
  field: Field,
  next: Operator,
  old: Operator | undefined,
  leaf: Choice,
): Choice {
  const value = next.value === old?.value ? leaf.value : convert(field, next, leaf.value);
  return { field: field.field, operator: next.operator, value };
}

/** "is VIP" becomes "is one of VIP" and back: what was chosen is not lost where it has a place. */
function convert(field: Field, next: Operator, value: Json | undefined): Json | undefined {
  if (next.value === 'list' && typeof value === 'string' && value) return [value];
  if (next.value === 'text' && Array.isArray(value) && value.length === 1 && typeof value[0] === 'string')
    return value[0];
  if (next.value === 'range' && typeof value === 'number') return [value, null];
  if (next.value === 'number' && Array.isArray(value) && typeof value[0] === 'number') return value[0];
  if (next.value === 'dates' && typeof value === 'string' && value) return [value, null];
  if (next.value === 'date' && Array.isArray(value) && typeof value[0] === 'string') return value[0];
  return firstValue(field, next);
}
