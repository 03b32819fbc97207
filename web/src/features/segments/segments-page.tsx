import { IconFilter } from '@tabler/icons-react';
import { ComingPage } from '@/components/coming-page';

export function SegmentsPage() {
  return (
    <ComingPage icon={<IconFilter size={28} stroke={1.5} />} title="Segments aren’t here yet">
      You’ll be able to group contacts by rules, such as tag, last message or stage, and use the group
      everywhere. This page opens when that is ready.
    </ComingPage>
  );
}
