import {
  Badge,
  Group,
  SegmentedControl,
  Skeleton,
  Stack,
  Text,
  TextInput,
  UnstyledButton,
} from '@mantine/core';
import { IconSearch, IconTemplate } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Hint, LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { languageName } from '@/features/templates/languages';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { plural } from '@/lib/time';
import { bodyOf, type CampaignTemplate, categoryNames, sendableTemplatesQuery } from '../templates';
import classes from './wizard.module.css';

interface TemplatePickerProps {
  /** The WhatsApp account of the number chosen; any while none is. */
  wabaId: string | undefined;
  onPick: (template: CampaignTemplate) => void;
}

/** Approved templates only: nothing else may be sent. */
export function TemplatePicker({ wabaId, onPick }: TemplatePickerProps) {
  const { orgId } = useOrg();
  const [category, setCategory] = useState('all');
  const [typed, setTyped] = useState('');
  const search = useDebounced(typed, 200);
  const templates = useQuery({
    ...sendableTemplatesQuery(orgId, { search, category: category === 'all' ? undefined : category, wabaId }),
    placeholderData: keepPreviousData,
  });
  const found = templates.data?.templates;
  const total = templates.data?.total ?? 0;
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <TextInput
          type="search"
          aria-label="Search templates"
          placeholder="Search templates"
          className={classes.grow}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <SegmentedControl
          aria-label="Category"
          value={category}
          onChange={setCategory}
          data={[
            { value: 'all', label: 'All' },
            { value: 'marketing', label: 'Marketing' },
            { value: 'utility', label: 'Utility' },
          ]}
          className={classes.segmented}
        />
      </Group>
      {templates.isError && !found ? (
        <LoadProblem error={templates.error} what="your templates" onRetry={() => void templates.refetch()} />
      ) : !found ? (
        <div className={classes.cards} role="status" aria-label="Loading">
          <Skeleton height={120} radius="md" />
          <Skeleton height={120} radius="md" />
          <Skeleton height={120} radius="md" />
        </div>
      ) : found.length === 0 ? (
        <Hint
          icon={<IconTemplate size={28} stroke={1.5} />}
          title={search || category !== 'all' ? 'No template found' : 'No approved template yet'}
          role="status"
          action={<TextLink to="/templates">See your templates</TextLink>}
        >
          {search || category !== 'all'
            ? 'No approved template fits.'
            : 'Campaigns send templates that Meta has approved. Write one and submit it; most are reviewed within minutes.'}
        </Hint>
      ) : (
        <>
          <ul className={classes.cards} aria-label="Approved templates">
            {found.map((template) => (
              <li key={template.id}>
                <UnstyledButton
                  className={classes.template}
                  onClick={() => onPick(template)}
                  aria-label={`Use ${template.name}`}
                >
                  <span className={classes.templateName} title={template.name}>
                    {template.name}
                  </span>
                  <Group gap={6} component="span">
                    <Badge size="sm" variant="light" color="gray">
                      {categoryNames[template.category] ?? template.category}
                    </Badge>
                    <Text size="xs" c="dimmed" component="span">
                      {languageName(template.language)}
                    </Text>
                    {template.quality === 'RED' && (
                      <Badge size="sm" variant="light" color="red">
                        Low quality
                      </Badge>
                    )}
                  </Group>
                  <span className={classes.templateBody} dir="auto">
                    {bodyOf(template)}
                  </span>
                </UnstyledButton>
              </li>
            ))}
          </ul>
          <Text size="sm" c="dimmed" role="status">
            {total > found.length
              ? `${found.length} of ${plural(total, 'template')}. Search to narrow them down.`
              : plural(found.length, 'template')}
          </Text>
        </>
      )}
    </Stack>
  );
}
