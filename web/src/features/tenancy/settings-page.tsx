import { Skeleton, Text, Title } from '@mantine/core';
import {
  IconBrandWhatsapp,
  IconBuilding,
  IconForms,
  IconSend,
  IconShieldCheck,
  IconSunMoon,
  IconTags,
  IconUsers,
} from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Suspense } from 'react';
import { lazyPart } from '@/lib/lazy-part';
import classes from './settings.module.css';

const route = getRouteApi('/_app/settings/$section');

const Dialogs = lazyPart(async () => (await import('@/components/dialogs')).default);
const OrganizationSettings = lazyPart(
  async () => (await import('./organization-settings')).OrganizationSettings,
);
const MembersSettings = lazyPart(async () => (await import('./members-settings')).MembersSettings);
const AppearanceSettings = lazyPart(async () => (await import('./appearance-settings')).AppearanceSettings);
const WhatsAppSettings = lazyPart(
  async () => (await import('@/features/whatsapp/whatsapp-settings')).WhatsAppSettings,
);
const TagsSettings = lazyPart(async () => (await import('@/features/contacts/tags-settings')).TagsSettings);
const CustomFieldsSettings = lazyPart(
  async () => (await import('@/features/contacts/custom-fields-settings')).CustomFieldsSettings,
);
const ConsentKeywordsSettings = lazyPart(
  async () => (await import('@/features/contacts/consent-keywords-settings')).ConsentKeywordsSettings,
);
const CampaignSettings = lazyPart(
  async () => (await import('@/features/campaigns/settings/campaign-settings')).CampaignSettings,
);

const sections = [
  { id: 'organization', label: 'Organisation', Icon: IconBuilding, hint: 'Its name, country and time zone.' },
  { id: 'members', label: 'Members', Icon: IconUsers, hint: 'Who works here, and what each may do.' },
  {
    id: 'whatsapp',
    label: 'WhatsApp number',
    Icon: IconBrandWhatsapp,
    hint: 'The numbers your customers write to.',
  },
  { id: 'tags', label: 'Tags', Icon: IconTags, hint: 'Words that group your contacts.' },
  {
    id: 'custom-fields',
    label: 'Custom fields',
    Icon: IconForms,
    hint: 'What you keep about each contact beside our own fields.',
  },
  {
    id: 'consent-keywords',
    label: 'Opt-in keywords',
    Icon: IconShieldCheck,
    hint: 'Words your customers stop and start marketing with.',
  },
  {
    id: 'campaigns',
    label: 'Campaigns',
    Icon: IconSend,
    hint: 'Limits, prices and what your website reports.',
  },
  { id: 'appearance', label: 'Appearance', Icon: IconSunMoon, hint: 'Only for you, on this device.' },
] as const;

export function SettingsPage() {
  const { section } = route.useParams();
  const current = sections.find((each) => each.id === section) ?? sections[0];
  return (
    <div className={classes.page}>
      <nav aria-label="Settings" className={classes.nav}>
        {sections.map(({ id, label, Icon }) => (
          <Link
            key={id}
            to="/settings/$section"
            params={{ section: id }}
            className={classes.link}
            activeProps={{ 'data-active': true, 'aria-current': 'page' }}
          >
            <Icon size={18} stroke={1.7} aria-hidden />
            {label}
          </Link>
        ))}
      </nav>
      <section className={classes.section} aria-labelledby="settings-title">
        <Title order={2} id="settings-title" fz={20}>
          {current.label}
        </Title>
        <Text c="dimmed" mb="lg">
          {current.hint}
        </Text>
        <Suspense fallback={<Skeleton height={220} radius="md" />}>
          <Dialogs>
            {current.id === 'organization' && <OrganizationSettings />}
            {current.id === 'members' && <MembersSettings />}
            {current.id === 'whatsapp' && <WhatsAppSettings />}
            {current.id === 'tags' && <TagsSettings />}
            {current.id === 'custom-fields' && <CustomFieldsSettings />}
            {current.id === 'consent-keywords' && <ConsentKeywordsSettings />}
            {current.id === 'campaigns' && <CampaignSettings />}
            {current.id === 'appearance' && <AppearanceSettings />}
          </Dialogs>
        </Suspense>
      </section>
    </div>
  );
}
