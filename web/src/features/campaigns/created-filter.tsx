import { Button, Popover, Stack, TextInput } from '@mantine/core';
import { IconCalendar } from '@tabler/icons-react';
import type { CampaignsSearch } from './list-search';

interface CreatedFilterProps {
  search: CampaignsSearch;
  set: (change: Partial<CampaignsSearch>) => void;
  defaultOpened: boolean;
}

/** The days between which a campaign was made. */
export function CreatedFilter({ search, set, defaultOpened }: CreatedFilterProps) {
  return (
    <Popover position="bottom-start" shadow="md" trapFocus defaultOpened={defaultOpened}>
      <Popover.Target>
        <Button variant="default" leftSection={<IconCalendar size={18} />}>
          Created
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="When it was created">
        <Stack gap="xs">
          <TextInput
            type="date"
            label="From"
            value={search.from ?? ''}
            max={search.to}
            onChange={(event) => set({ from: event.currentTarget.value || undefined, page: undefined })}
          />
          <TextInput
            type="date"
            label="To"
            value={search.to ?? ''}
            min={search.from}
            onChange={(event) => set({ to: event.currentTarget.value || undefined, page: undefined })}
          />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
