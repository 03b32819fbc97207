import { IconTemplate } from '@tabler/icons-react';
import { ComingPage } from '@/components/coming-page';

export function TemplatesPage() {
  return (
    <ComingPage icon={<IconTemplate size={28} stroke={1.5} />} title="Templates aren’t here yet">
      You’ll be able to write message templates, have Meta approve them and send them outside the 24-hour
      window. This page opens when that is ready.
    </ComingPage>
  );
}
