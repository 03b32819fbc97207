import { IconSend } from '@tabler/icons-react';
import { ComingPage } from '@/components/coming-page';

export function CampaignsPage() {
  return (
    <ComingPage icon={<IconSend size={28} stroke={1.5} />} title="Campaigns aren’t here yet">
      You’ll be able to send an approved template to a whole audience, schedule it and see who read and
      answered. This page opens when that is ready.
    </ComingPage>
  );
}
