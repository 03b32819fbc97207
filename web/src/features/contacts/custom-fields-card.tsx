import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useOrg } from '@/features/tenancy/queries';
import classes from './contact-page.module.css';
import { type CustomField, customValueText } from './custom-fields';
import type { Save } from './edit-contact';
import { type FieldKind, InlineField } from './inline-field';
import type { Contact } from './model';
import { customFieldsQuery } from './queries';

const options = (field: CustomField) => field.options.map((value) => ({ value, label: value }));

function kindOf(field: CustomField): FieldKind {
  if (field.type === 'choice') return { kind: 'choice', options: options(field) };
  if (field.type === 'multi_choice') return { kind: 'choices', options: options(field) };
  return { kind: field.type };
}

export function CustomFieldsCard({ contact, save }: { contact: Contact; save?: Save }) {
  const { orgId } = useOrg();
  const fields = useQuery(customFieldsQuery(orgId));
  const shown = (fields.data ?? []).filter(
    // What is archived is still told where it was filled in, and can no longer be changed.
    (field) => !field.archived_at || customValueText(field.type, contact.custom_fields[field.key]) !== null,
  );
  if (shown.length === 0) return null;
  return (
    <section className={classes.card} aria-labelledby="custom-fields-title">
      <Title order={3} id="custom-fields-title" fz="md" mb="xs">
        More about them
      </Title>
      <div className={classes.facts}>
        {shown.map((field) => (
          <InlineField
            key={field.id}
            contact={contact}
            path={`custom_fields.${field.key}`}
            label={field.archived_at ? `${field.label} (archived)` : field.label}
            shown={customValueText(field.type, contact.custom_fields[field.key])}
            as={kindOf(field)}
            save={field.archived_at ? undefined : save}
            check={
              field.type === 'number'
                ? (value) => (value && !Number.isFinite(Number(value)) ? 'Enter a number.' : null)
                : undefined
            }
          />
        ))}
      </div>
      {fields.isError && (
        <Text c="dimmed" size="sm">
          Your own fields could not be loaded.
        </Text>
      )}
    </section>
  );
}
