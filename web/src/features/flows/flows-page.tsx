import { IconRoute } from '@tabler/icons-react';
import { ComingPage } from '@/components/coming-page';

export function FlowsPage() {
  return (
    <ComingPage icon={<IconRoute size={28} stroke={1.5} />} title="Flows aren’t here yet">
      You’ll be able to draw conversations that run by themselves: greetings, reminders, follow-ups. This page
      opens when that is ready.
    </ComingPage>
  );
}
