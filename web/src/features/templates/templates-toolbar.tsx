import { ActionIcon, Button, Group, NativeSelect, Switch } from '@mantine/core';
import { IconFilter, IconLayoutGrid, IconListDetails } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useId, useState } from 'react';
import { SearchBox } from '@/components/search-box';
import { useOrg } from '@/features/tenancy/queries';
import { categories, statuses } from './kinds';
import { languageName } from './languages';
import { ENOUGH_SENDS, filterNames, type ListSort, sortNames, type TemplatesSearch } from './list-search';
import { categoryNames, statusNames } from './names';
import { templateLanguagesQuery } from './queries';
import classes from './templates.module.css';

interface ToolbarProps {
  search: TemplatesSearch;
  set: (change: Partial<TemplatesSearch>, replace?: boolean) => void;
  /** What can be done with the list as a whole. */
  children: ReactNode;
}

/** Searches, filters and orders the list; everything stands in the address. */
export function TemplatesToolbar({ search, set, children }: ToolbarProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const inUse = filterNames.filter((name) => search[name] !== undefined).length;
  return (
    <Group gap="sm" mb="md">
      <SearchBox
        w={{ base: '100%', sm: 240 }}
        label="Search templates"
        q={search.q ?? ''}
        onSearch={(q) => set({ q: q || undefined }, true)}
      />
      {/* Where there is room for one thing beside another only, the filters come when they are asked for. */}
      <Button
        hiddenFrom="sm"
        variant="default"
        leftSection={<IconFilter size={18} />}
        aria-label={inUse > 0 ? `Filter, ${inUse} in use` : 'Filter'}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        {inUse > 0 ? `Filter · ${inUse}` : 'Filter'}
      </Button>
      <div id={id} className={classes.filters} data-open={isOpen || undefined}>
        <Filters search={search} set={set} />
      </div>
      <Group ml="auto" gap="sm" className={classes.toolbarEnd}>
        <ViewSwitch
          view={search.view ?? 'grid'}
          onChange={(next) => set({ view: next === 'grid' ? undefined : next, page: search.page })}
        />
        {children}
      </Group>
    </Group>
  );
}

/** Which templates, and in which order. */
function Filters({ search, set }: Omit<ToolbarProps, 'children'>) {
  const { orgId } = useOrg();
  const languages = useQuery(templateLanguagesQuery(orgId));
  const known = new Set([...(languages.data ?? []), ...(search.language ? [search.language] : [])]);
  return (
    <>
      <NativeSelect
        aria-label="Status"
        w={{ base: 'calc(50% - 6px)', sm: 140 }}
        value={search.status ?? ''}
        onChange={(event) =>
          set({ status: (event.currentTarget.value || undefined) as TemplatesSearch['status'] })
        }
        data={[
          { value: '', label: 'Any status' },
          ...statuses.map((value) => ({ value, label: statusNames[value] })),
        ]}
      />
      <NativeSelect
        aria-label="Category"
        w={{ base: 'calc(50% - 6px)', sm: 150 }}
        value={search.category ?? ''}
        onChange={(event) =>
          set({ category: (event.currentTarget.value || undefined) as TemplatesSearch['category'] })
        }
        data={[
          { value: '', label: 'Any category' },
          ...categories.map((value) => ({ value, label: categoryNames[value] })),
        ]}
      />
      <NativeSelect
        aria-label="Language"
        w={{ base: 'calc(50% - 6px)', sm: 150 }}
        value={search.language ?? ''}
        onChange={(event) => set({ language: event.currentTarget.value || undefined })}
        data={[
          { value: '', label: 'Any language' },
          ...[...known].map((value) => ({ value, label: languageName(value) })),
        ]}
      />
      <NativeSelect
        aria-label="Sort by"
        w={{ base: 'calc(50% - 6px)', sm: 140 }}
        disabled={search.top}
        value={search.top ? 'read' : (search.sort ?? 'created')}
        onChange={(event) => {
          const { value } = event.currentTarget;
          set({ sort: value === 'created' ? undefined : (value as ListSort) });
        }}
        data={Object.entries(sortNames).map(([value, label]) => ({ value, label }))}
      />
      <Switch
        label="Top performing"
        description={search.top ? `Best read of those sent ${ENOUGH_SENDS} times` : undefined}
        checked={search.top ?? false}
        onChange={(event) => set({ top: event.currentTarget.checked || undefined })}
      />
    </>
  );
}

const views = [
  { value: 'grid', label: 'Cards', Icon: IconLayoutGrid },
  { value: 'table', label: 'Table', Icon: IconListDetails },
] as const;
type View = (typeof views)[number]['value'];

function ViewSwitch({ view, onChange }: { view: View; onChange: (view: View) => void }) {
  return (
    <ActionIcon.Group role="group" aria-label="Show as">
      {views.map(({ value, label, Icon }) => (
        <ActionIcon
          key={value}
          variant={view === value ? 'light' : 'default'}
          color={view === value ? 'brand' : undefined}
          aria-label={label}
          aria-pressed={view === value}
          title={label}
          onClick={() => onChange(value)}
        >
          <Icon size={18} />
        </ActionIcon>
      ))}
    </ActionIcon.Group>
  );
}
