import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { createRef, useState } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { everybody, type RuleGroup, type RuleProblem } from './model';
import { RuleBuilder, type RuleBuilderHandle } from './rule-builder';

const rpc = vi.hoisted(() => vi.fn());
vi.mock('@/lib/supabase', async (original) => ({
  ...(await original<typeof import('@/lib/supabase')>()),
  backend: () => ({ rpc }),
}));

const operators = {
  text: [
    { operator: 'is', label: 'is', value: 'text' },
    { operator: 'is_one_of', label: 'is one of', value: 'list' },
    { operator: 'is_empty', label: 'is empty', value: 'none' },
  ],
  number: [
    { operator: 'at_least', label: 'is at least', value: 'number' },
    { operator: 'between', label: 'is between', value: 'range' },
  ],
  time: [{ operator: 'in_last', label: 'is in the last', value: 'duration' }],
};
const catalog = [
  {
    field: 'full_name',
    label: 'Name',
    category: 'contact',
    kind: 'text',
    options: [],
    operators: operators.text,
  },
  {
    field: 'source',
    label: 'Source',
    category: 'contact',
    kind: 'choice',
    options: [
      { value: 'import', label: 'Import' },
      { value: 'ad', label: 'Ad' },
    ],
    operators: operators.text.slice(0, 2),
  },
  {
    field: 'messages_sent',
    label: 'Messages sent',
    category: 'behaviour',
    kind: 'number',
    options: [],
    operators: operators.number,
  },
  {
    field: 'last_message_at',
    label: 'Last message',
    category: 'behaviour',
    kind: 'time',
    options: [],
    operators: operators.time,
  },
];

// Whole keyboard journeys, on machines that share two cores with a database and a browser.
vi.setConfig({ testTimeout: 30_000 });

beforeEach(() => {
  rpc.mockImplementation((name: string) =>
    Promise.resolve(
      name === 'segment_catalog' ? { data: catalog, error: null } : { data: null, error: { code: name } },
    ),
  );
});

let latest: RuleGroup;

async function show(start: RuleGroup = everybody, problems?: RuleProblem[]) {
  const ref = createRef<RuleBuilderHandle>();
  latest = start;
  function Page() {
    const [value, setValue] = useState(start);
    latest = value;
    return <RuleBuilder ref={ref} orgId="org" value={value} onChange={setValue} problems={problems} />;
  }
  const view = draw(<Page />);
  await screen.findAllByRole('button', { name: 'Add rule' });
  return { ref, view, user: userEvent.setup() };
}

const row = (name: string) => screen.getByRole('group', { name: `Rule: ${name}` });
const nameIs = (value: string | null) => ({ field: 'full_name', operator: 'is', value });

async function choose(user: ReturnType<typeof userEvent.setup>, field: string) {
  await user.keyboard(field);
  await screen.findByRole('option', { name: field });
  await user.keyboard('{Enter}');
}

describe('RuleBuilder', () => {
  it('builds a nested rule with the keyboard alone, and the focus goes along', async () => {
    const { user } = await show();
    screen.getByRole('button', { name: 'Add rule' }).focus();
    await user.keyboard('{Enter}');
    expect(screen.getByRole('combobox', { name: 'Look at' })).toHaveFocus();
    await choose(user, 'Name');
    await user.tab();
    expect(screen.getByRole('combobox', { name: 'How to compare Name' })).toHaveFocus();
    await user.tab();
    await user.keyboard('Aina');
    expect(latest).toEqual({ all: [nameIs('Aina')] });

    screen.getByRole('button', { name: 'Add group' }).focus();
    await user.keyboard('{Enter}');
    expect(screen.getByRole('combobox', { name: 'This group matches' })).toHaveFocus();
    await user.selectOptions(screen.getByRole('combobox', { name: 'This group matches' }), 'None of these');
    expect(latest).toEqual({ all: [nameIs('Aina'), { none: [{ field: '', operator: '', value: null }] }] });
  });

  it('gives each field its own operators and each operator its own control', async () => {
    const { user } = await show({ all: [nameIs('Aina')] });
    const compare = () => within(row('Name')).getByRole('combobox', { name: 'How to compare Name' });
    await user.selectOptions(compare(), 'is one of');
    expect(latest).toEqual({ all: [{ field: 'full_name', operator: 'is_one_of', value: ['Aina'] }] });
    await user.selectOptions(compare(), 'is empty');
    expect(latest).toEqual({ all: [{ field: 'full_name', operator: 'is_empty' }] });
    expect(within(row('Name')).queryByLabelText('Value of Name')).not.toBeInTheDocument();
  });

  it('takes numbers, ranges and durations as what they are', async () => {
    const { user } = await show({
      all: [
        { field: 'messages_sent', operator: 'at_least', value: null },
        { field: 'last_message_at', operator: 'in_last', value: { amount: 30, unit: 'days' } },
      ],
    });
    await user.type(screen.getByLabelText('Value of Messages sent'), '12');
    await user.selectOptions(screen.getByLabelText('How to compare Messages sent'), 'is between');
    await user.type(screen.getByLabelText('Value of Messages sent, to'), '20');
    await user.clear(screen.getByLabelText('Value of Last message, how many'));
    await user.type(screen.getByLabelText('Value of Last message, how many'), '2');
    await user.selectOptions(screen.getByLabelText('Value of Last message, unit'), 'weeks');
    expect(latest).toEqual({
      all: [
        { field: 'messages_sent', operator: 'between', value: [12, 20] },
        { field: 'last_message_at', operator: 'in_last', value: { amount: 2, unit: 'weeks' } },
      ],
    });
  });

  it('offers the options of a choice', async () => {
    const { user } = await show({ all: [{ field: 'source', operator: 'is', value: 'import' }] });
    await user.selectOptions(screen.getByLabelText('Value of Source'), 'Ad');
    expect(latest).toEqual({ all: [{ field: 'source', operator: 'is', value: 'ad' }] });
  });

  it('moves rules by keyboard, into groups and out, and keeps the focus on them', async () => {
    const { user } = await show({ all: [nameIs('a'), nameIs('b'), { any: [nameIs('c')] }] });
    const values = () =>
      screen.getAllByLabelText('Value of Name').map((input) => (input as HTMLInputElement).value);
    screen.getAllByLabelText('Value of Name')[0]?.focus();
    await user.keyboard('{Alt>}{Shift>}{ArrowDown}{/Shift}{/Alt}');
    expect(values()).toEqual(['b', 'a', 'c']);
    await user.keyboard('{Alt>}{Shift>}{ArrowRight}{/Shift}{/Alt}');
    expect(latest).toEqual({ all: [nameIs('b'), { any: [nameIs('a'), nameIs('c')] }] });
    const held = document.activeElement?.closest('[data-node]');
    expect(within(held as HTMLElement).getByLabelText('Value of Name')).toHaveValue('a');
    await user.keyboard('{Alt>}{Shift>}{ArrowLeft}{/Shift}{/Alt}');
    expect(latest).toEqual({ all: [nameIs('b'), { any: [nameIs('c')] }, nameIs('a')] });
    expect(screen.getByText('Rule moved out of the group.')).toBeInTheDocument();
  });

  it('deletes, and the focus goes to the next rule', async () => {
    const { user } = await show({ all: [nameIs('a'), nameIs('b')] });
    await user.click(screen.getAllByRole('button', { name: 'Delete the rule: Name' })[0] as HTMLElement);
    expect(latest).toEqual({ all: [nameIs('b')] });
    expect(screen.getByRole('combobox', { name: 'Look at' })).toHaveFocus();
    await user.click(screen.getByRole('button', { name: 'Delete the rule: Name' }));
    expect(screen.getByRole('combobox', { name: 'Contacts match' })).toHaveFocus();
  });

  it('undoes and redoes: typing is one step', async () => {
    const { user } = await show({ all: [nameIs('')] });
    await user.type(screen.getByLabelText('Value of Name'), 'Aina');
    await user.click(screen.getByRole('button', { name: 'Delete the rule: Name' }));
    expect(latest).toEqual({ all: [] });
    await user.keyboard('{Control>}z{/Control}');
    expect(latest).toEqual({ all: [nameIs('Aina')] });
    await user.keyboard('{Control>}z{/Control}');
    expect(latest).toEqual({ all: [nameIs('')] });
    await user.keyboard('{Control>}{Shift>}z{/Shift}{/Control}');
    expect(latest).toEqual({ all: [nameIs('Aina')] });
    expect(screen.getByRole('button', { name: 'Redo' })).toBeEnabled();
  });

  it('shows each problem beside its control, and goes to it when asked', async () => {
    const { ref } = await show({ all: [nameIs('x'), { any: [nameIs(null)] }] }, [
      { path: '/all/1/any/0/value', code: 'wrong_value', message: 'Fill this in.' },
    ]);
    const value = screen.getAllByLabelText('Value of Name')[1] as HTMLElement;
    expect(value).toBeInvalid();
    expect(screen.getByText('Fill this in.')).toBeInTheDocument();
    act(() => ref.current?.focusProblem('/all/1/any/0/value'));
    expect(value).toHaveFocus();
  });

  it('takes up rules that come from outside, but is not thrown back by an echo that comes late', async () => {
    const user = userEvent.setup();
    const told: RuleGroup[] = [];
    const page = (value: RuleGroup) => (
      <RuleBuilder orgId="org" value={value} onChange={(rules) => told.push(rules)} />
    );
    const { rerender } = draw(page({ all: [nameIs('')] }));
    await user.type(await screen.findByLabelText('Value of Name'), 'ab');
    rerender(page({ all: [nameIs('a')] }));
    expect(screen.getByLabelText('Value of Name')).toHaveValue('ab');
    rerender(page({ all: [nameIs('ab')] }));
    rerender(page({ all: [] }));
    await waitFor(() => expect(screen.queryByLabelText('Value of Name')).not.toBeInTheDocument());
    expect(told.at(-1)).toEqual({ all: [nameIs('ab')] });
  });
});
