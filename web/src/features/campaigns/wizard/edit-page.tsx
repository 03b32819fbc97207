import { Button } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { FindProblem } from '@/components/find-problem';
import { usePageTitle } from '@/components/page-title';
import { Hint } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { useCampaignsLive } from '../live';
import { canEdit } from '../model';
import { detailQuery } from '../queries';
import { CampaignWizard } from './campaign-wizard';
import { NotAllowed, WizardSkeleton } from './placeholders';
import classes from './wizard.module.css';

const route = getRouteApi('/_app/campaigns/$campaignId/edit');

export function EditCampaignPage() {
  const { campaignId } = route.useParams();
  const org = useOrg();
  useCampaignsLive(org.orgId, campaignId);
  // Grows when somebody else's version is taken, so that the wizard begins anew from it.
  const [generation, setGeneration] = useState(0);
  // An edit begins from what the database has now; a change meanwhile is told when saving.
  const detail = useQuery({
    ...detailQuery(org.orgId, campaignId),
    refetchOnMount: 'always',
    refetchOnWindowFocus: false,
  });
  usePageTitle(detail.data?.campaign.name || 'Campaign');
  if (!org.can('campaigns.manage')) return <NotAllowed />;
  return (
    <div className={classes.page}>
      {detail.isError && !detail.data ? (
        <FindProblem
          error={detail.error}
          what="this campaign"
          onRetry={() => void detail.refetch()}
          back={<TextLink to="/campaigns">See all campaigns</TextLink>}
        />
      ) : !detail.data || !detail.isFetchedAfterMount ? (
        <WizardSkeleton />
      ) : canEdit(detail.data.campaign) ? (
        <CampaignWizard
          key={`${campaignId} ${generation}`}
          detail={detail.data}
          onTakeTheirs={async () => {
            await detail.refetch();
            setGeneration((old) => old + 1);
          }}
        />
      ) : (
        <AlreadySent campaignId={campaignId} />
      )}
    </div>
  );
}

function AlreadySent({ campaignId }: { campaignId: string }) {
  const navigate = useNavigate();
  return (
    <Hint
      icon={<IconSend size={28} stroke={1.5} />}
      title="This campaign is on its way"
      role="status"
      action={
        <Button onClick={() => void navigate({ to: '/campaigns/$campaignId', params: { campaignId } })}>
          See how it goes
        </Button>
      }
    >
      What has been sent can’t change any more. Duplicate the campaign to send something like it again.
    </Hint>
  );
}
