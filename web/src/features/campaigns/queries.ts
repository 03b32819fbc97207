import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import type { Job } from '@/features/jobs/model';
import { ask, tell } from './api';
import type { CampaignsSearch } from './list-search';
import {
  audienceSizeSchema,
  type Campaign,
  type CampaignStatus,
  campaignSchema,
  type Detail,
  detailSchema,
  exclusionSchema,
  listRowSchema,
  type RecipientStatus,
  recipientSchema,
  rehearsalSchema,
} from './model';

export const campaignKey = (orgId: string, ...more: unknown[]) =>
  ['org', orgId, 'campaigns', ...more] as const;

export const CAMPAIGNS_A_PAGE = 25;

const listSchema = z.object({ total: z.number(), campaigns: z.array(listRowSchema) });

export function campaignsQuery(orgId: string, search: CampaignsSearch) {
  const { q, status, from, to, by, page = 1 } = search;
  return queryOptions({
    queryKey: campaignKey(orgId, 'list', { q, status, from, to, by, page }),
    queryFn: ({ signal }) =>
      ask(
        'list_campaigns',
        {
          p_org_id: orgId,
          p_search: q?.trim() || null,
          p_statuses: status?.length ? status : null,
          p_from: from ? new Date(`${from}T00:00:00`).toISOString() : null,
          p_to: to ? new Date(`${to}T23:59:59.999`).toISOString() : null,
          p_created_by: by ?? null,
          p_limit: CAMPAIGNS_A_PAGE,
          p_offset: (page - 1) * CAMPAIGNS_A_PAGE,
        },
        listSchema,
        signal,
      ),
  });
}

/** As the database has it this moment, whatever is being read for the page. */
export const readDetail = (id: string, signal?: AbortSignal): Promise<Detail> =>
  ask('campaign_detail', { p_id: id }, detailSchema, signal);

export function detailQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: campaignKey(orgId, 'one', id, 'detail'),
    queryFn: ({ signal }) => readDetail(id, signal),
  });
}

/** `version` is the `updated_at` the answer is about: another version is another question. */
export function audienceQuery(orgId: string, id: string, version: string) {
  return queryOptions({
    queryKey: campaignKey(orgId, 'audience', id, version),
    staleTime: 30_000,
    queryFn: ({ signal }) => ask('campaign_audience', { p_id: id }, audienceSizeSchema, signal),
  });
}

export const EXCLUSIONS_A_PAGE = 50;

export function exclusionsQuery(orgId: string, id: string, version: string, reason: string | null) {
  return infiniteQueryOptions({
    queryKey: campaignKey(orgId, 'exclusions', id, version, reason),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      ask(
        'campaign_exclusions',
        { p_id: id, p_reason: reason, p_limit: EXCLUSIONS_A_PAGE, p_after: pageParam },
        z.array(exclusionSchema),
        signal,
      ),
    getNextPageParam: (page) => (page.length < EXCLUSIONS_A_PAGE ? undefined : page.at(-1)?.contact_id),
  });
}

/** How many messages a rehearsal shows one by one. */
const REHEARSED_MESSAGES = 20;

export function rehearsalQuery(orgId: string, id: string, version: string) {
  return queryOptions({
    queryKey: campaignKey(orgId, 'rehearsal', id, version),
    staleTime: 10_000,
    queryFn: ({ signal }) =>
      ask('rehearse_campaign', { p_id: id, p_limit: REHEARSED_MESSAGES }, rehearsalSchema, signal),
  });
}

export const RECIPIENTS_A_PAGE = 50;

const recipientsSchema = z.object({ recipients: z.array(recipientSchema), next: z.nullish(z.string()) });

export function recipientsQuery(orgId: string, id: string, q: string, wanted: RecipientStatus[] | undefined) {
  return infiniteQueryOptions({
    queryKey: campaignKey(orgId, 'one', id, 'recipients', q, wanted),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      ask(
        'list_recipients',
        {
          p_id: id,
          p_search: q || null,
          p_statuses: wanted?.length ? wanted : null,
          p_limit: RECIPIENTS_A_PAGE,
          p_after: pageParam,
        },
        recipientsSchema,
        signal,
      ),
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

export const createCampaign = (orgId: string, fields: Record<string, unknown>): Promise<Campaign> =>
  ask('create_campaign', { p_org_id: orgId, p_fields: fields }, campaignSchema);

export const updateCampaign = (
  id: string,
  fields: Record<string, unknown>,
  expected: string,
): Promise<Campaign> =>
  ask('update_campaign', { p_id: id, p_fields: fields, p_expected_updated_at: expected }, campaignSchema);

export const duplicateCampaign = (id: string): Promise<Campaign> =>
  ask('duplicate_campaign', { p_id: id }, campaignSchema);

export const deleteCampaign = (id: string) => tell('delete_campaign', { p_id: id });
/** As long as this goes on, a newer version may well be the one that is just being sent. */
export const sendingKey = (campaign: Campaign) => campaignKey(campaign.org_id, 'send', campaign.id);

/** `expected` is the version that was rehearsed: no other one is sent. */
export const launchCampaign = (id: string, expected: string) =>
  tell('launch_campaign', { p_id: id, p_expected_updated_at: expected });
export const scheduleCampaign = (id: string, at: string, expected: string) =>
  tell('schedule_campaign', { p_id: id, p_at: at, p_expected_updated_at: expected });

/** What may be done to a campaign that is past its draft. */
export const changeCampaign = (
  id: string,
  what: 'unschedule' | 'pause' | 'resume' | 'cancel',
): Promise<void> => tell(`${what}_campaign`, { p_id: id });

export const retryFailed = (id: string): Promise<number> =>
  ask('retry_failed_recipients', { p_id: id }, z.coerce.number());
export const chooseWinner = (id: string, variant: number) =>
  tell('choose_winner', { p_id: id, p_variant: variant });

/** A file is written by a worker; the job says when it is there. */
export const exportRecipients = (id: string): Promise<Job> =>
  ask('export_recipients', { p_id: id }, z.custom<Job>());

/** States a list shows as one question: what is going on, what is over. */
export const isUnderWay = (status: CampaignStatus): boolean => status === 'sending' || status === 'paused';
