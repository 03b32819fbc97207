import { NativeSelect, Radio, Select, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { accountsQuery, type WhatsAppAccount } from '@/features/whatsapp/queries';
import { type Category, categories } from '../kinds';
import { languageOptions } from '../languages';
import { categoryHints, categoryNames } from '../names';
import { fieldId, useEditor, useField } from './context';
import { convertFormat } from './convert';
import classes from './editor.module.css';
import { FieldWarning } from './field-warning';
import { tidyName } from './name';
import { type EditorValues, newButton } from './values';

/** Name, language, category and account: what Meta files a template under. */
export function Basics() {
  const { values, change, fixed } = useEditor();
  const name = useField('name');
  const language = useField('language');
  return (
    <Stack gap="md">
      <div className={classes.pair}>
        <TextInput
          {...name.props}
          label="Name"
          description={fixed ?? 'Small letters, digits and underscores'}
          placeholder="order_is_ready"
          withAsterisk
          disabled={fixed !== undefined}
          autoComplete="off"
          spellCheck={false}
          value={values.name}
          onChange={(event) => change({ name: tidyName(event.currentTarget.value) })}
        />
        <Select
          {...language.props}
          label="Language"
          description="What the words below are written in"
          withAsterisk
          searchable
          allowDeselect={false}
          disabled={fixed !== undefined}
          nothingFoundMessage="Meta has no such language"
          data={languageOptions(values.language)}
          value={values.language}
          onChange={(code) => code && change({ language: code })}
        />
      </div>
      <FieldWarning>{name.warning ?? language.warning}</FieldWarning>
      <AccountChoice />
      <CategoryChoice />
    </Stack>
  );
}

/** Only where there is something to choose: templates belong to a WhatsApp Business account, not to a number. */
function AccountChoice() {
  const { orgId, values, change, fixed } = useEditor();
  const accounts = useQuery(accountsQuery(orgId));
  const byWaba = new Map<string, WhatsAppAccount[]>();
  for (const account of accounts.data ?? [])
    byWaba.set(account.waba_id, [...(byWaba.get(account.waba_id) ?? []), account]);
  if (byWaba.size < 2) return null;
  return (
    <NativeSelect
      label="WhatsApp account"
      description="Every number of this account can send it"
      disabled={fixed !== undefined}
      value={values.wabaId ?? [...byWaba.keys()][0]}
      onChange={(event) => change({ wabaId: event.currentTarget.value })}
      data={[...byWaba].map(([waba, numbers]) => ({
        value: waba,
        label: numbers
          .map((number) => number.verified_name ?? number.display_phone_number ?? waba)
          .join(', '),
      }))}
    />
  );
}

function CategoryChoice() {
  const { values, change, fixedCategory } = useEditor();
  const field = useField('category');
  // The button of a code is Meta's; those of a message mean nothing there, and are back when the category is.
  const laidAside = useRef<EditorValues['buttons']>([]);
  const choose = (category: Category) => {
    const isCode = category === 'authentication';
    if (isCode === (values.category === 'authentication')) return change({ category });
    const buttons = laidAside.current;
    laidAside.current = values.buttons;
    change({ category, buttons: isCode && buttons.length === 0 ? [newButton('otp')] : buttons });
  };
  return (
    <div>
      <Radio.Group
        label="Category"
        description={fixedCategory ?? 'It decides the price, and who may get it. Meta changes a wrong one.'}
        withAsterisk
        value={values.category}
        onChange={(value) => choose(value as Category)}
        error={field.error}
      >
        <div className={classes.choices} id={fieldId('category')} tabIndex={-1}>
          {categories.map((category) => (
            <Radio.Card
              key={category}
              value={category}
              className={classes.choice}
              disabled={fixedCategory !== undefined}
              aria-label={categoryNames[category]}
            >
              <Radio.Indicator disabled={fixedCategory !== undefined} />
              <div>
                <Text fw={600}>{categoryNames[category]}</Text>
                <Text size="sm" c="dimmed">
                  {categoryHints[category]}
                </Text>
              </div>
            </Radio.Card>
          ))}
        </div>
      </Radio.Group>
      <FieldWarning>{field.warning}</FieldWarning>
    </div>
  );
}

/** How variables are named, throughout. */
export function FormatChoice() {
  const { values, change, fixed } = useEditor();
  const field = useField('format');
  return (
    <NativeSelect
      {...field.props}
      label="Variables"
      w={{ base: '100%', xs: 240 }}
      disabled={fixed !== undefined}
      value={values.format}
      onChange={(event) =>
        change(convertFormat(values, event.currentTarget.value === 'named' ? 'named' : 'positional'))
      }
      data={[
        { value: 'named', label: 'By name, like {{first_name}}' },
        { value: 'positional', label: 'By number, like {{1}}' },
      ]}
    />
  );
}
