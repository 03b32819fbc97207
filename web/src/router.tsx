import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import * as z from 'zod/mini';
import { safeNext } from '@/features/auth/links';
import { authState } from '@/features/auth/session';
import { campaignsSearch } from '@/features/campaigns/list-search';
import { recipientStatuses } from '@/features/campaigns/statuses';
import { contactsSearch } from '@/features/contacts/list-search';
import { templatesSearch } from '@/features/templates/list-search';
import { membershipQuery } from '@/features/tenancy/queries';
import { NotFound, PageProblem } from '@/shell/error-page';
import { PendingFrame } from '@/shell/pending-frame';

interface RouterContext {
  queryClient: QueryClient;
}

/** An unreadable value in an address is dropped, the rest of the link still works. */
const lenient = <T extends z.ZodMiniType>(schema: T) => z.catch(z.optional(schema), undefined);
const text = lenient(z.coerce.string());
const next = z.pipe(text, z.transform(safeNext));

const root = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: PageProblem,
});

// Pages for people who are not signed in, or not in an organisation yet.
const guest = createRoute({
  getParentRoute: () => root,
  id: '_guest',
  component: lazyRouteComponent(() => import('@/features/auth/auth-layout'), 'AuthLayout'),
});

const onlySignedOut = ({ search }: { search: { next?: string } }) => {
  if (authState().session) throw redirect({ to: search.next ?? '/' });
};

const signIn = createRoute({
  getParentRoute: () => guest,
  path: '/sign-in',
  validateSearch: z.object({ next, email: text }),
  beforeLoad: onlySignedOut,
  component: lazyRouteComponent(() => import('@/features/auth/sign-in-page'), 'SignInPage'),
});
const signUp = createRoute({
  getParentRoute: () => guest,
  path: '/sign-up',
  validateSearch: z.object({ next, email: text }),
  beforeLoad: onlySignedOut,
  component: lazyRouteComponent(() => import('@/features/auth/sign-up-page'), 'SignUpPage'),
});
const checkMail = createRoute({
  getParentRoute: () => guest,
  path: '/check-mail',
  validateSearch: z.object({
    next,
    email: z.catch(z.string(), ''),
    kind: z.catch(z.enum(['signup', 'recovery']), 'signup'),
  }),
  component: lazyRouteComponent(() => import('@/features/auth/check-mail-page'), 'CheckMailPage'),
});
const verify = createRoute({
  getParentRoute: () => guest,
  path: '/verify',
  validateSearch: z.object({
    next,
    token_hash: text,
    error_code: text,
    type: z.catch(z.enum(['signup', 'recovery', 'email', 'email_change', 'invite', 'magiclink']), 'email'),
  }),
  component: lazyRouteComponent(() => import('@/features/auth/verify-page'), 'VerifyPage'),
});
const forgotPassword = createRoute({
  getParentRoute: () => guest,
  path: '/forgot-password',
  validateSearch: z.object({ email: text }),
  component: lazyRouteComponent(() => import('@/features/auth/forgot-password-page'), 'ForgotPasswordPage'),
});
const resetPassword = createRoute({
  getParentRoute: () => guest,
  path: '/reset-password',
  component: lazyRouteComponent(() => import('@/features/auth/reset-password-page'), 'ResetPasswordPage'),
});
const invitation = createRoute({
  getParentRoute: () => guest,
  path: '/invitations/$token',
  component: lazyRouteComponent(
    () => import('@/features/tenancy/accept-invitation-page'),
    'AcceptInvitationPage',
  ),
});
const onboarding = createRoute({
  getParentRoute: () => guest,
  path: '/onboarding',
  beforeLoad: async ({ context }) => {
    const { session } = authState();
    if (!session) throw redirect({ to: '/sign-in' });
    const membership = await context.queryClient.ensureQueryData(membershipQuery(session.user.id));
    if (membership) throw redirect({ to: '/dashboard' });
  },
  component: lazyRouteComponent(() => import('@/features/tenancy/onboarding-page'), 'OnboardingPage'),
});

const app = createRoute({
  getParentRoute: () => root,
  id: '_app',
  beforeLoad: async ({ context, location }) => {
    const { session } = authState();
    if (!session)
      throw redirect({ to: '/sign-in', search: { next: location.href === '/' ? undefined : location.href } });
    const membership = await context.queryClient.ensureQueryData(membershipQuery(session.user.id));
    if (!membership) throw redirect({ to: '/onboarding' });
  },
  pendingComponent: PendingFrame,
  pendingMs: 150,
  component: lazyRouteComponent(() => import('@/shell/app-frame'), 'AppFrame'),
});

const home = createRoute({
  getParentRoute: () => app,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/dashboard', replace: true });
  },
});
const dashboard = createRoute({
  getParentRoute: () => app,
  path: '/dashboard',
  staticData: { title: 'Dashboard' },
  component: lazyRouteComponent(() => import('@/features/dashboard/dashboard-page'), 'DashboardPage'),
});
const contacts = createRoute({
  getParentRoute: () => app,
  path: '/contacts',
  staticData: { title: 'Contacts' },
  validateSearch: contactsSearch,
  beforeLoad: ({ search }) => {
    if (search.contact)
      throw redirect({ to: '/contacts/$contactId', params: { contactId: search.contact }, replace: true });
  },
  component: lazyRouteComponent(() => import('@/features/contacts/contacts-page'), 'ContactsPage'),
});
const contact = createRoute({
  getParentRoute: () => app,
  path: '/contacts/$contactId',
  staticData: { title: 'Contact' },
  component: lazyRouteComponent(() => import('@/features/contacts/contact-page'), 'ContactPage'),
});
const contactImport = createRoute({
  getParentRoute: () => app,
  path: '/contacts/import',
  staticData: { title: 'Import contacts' },
  validateSearch: z.object({ job: lenient(z.uuid()) }),
  component: lazyRouteComponent(() => import('@/features/jobs/import/import-page'), 'ImportPage'),
});
const contactJobs = createRoute({
  getParentRoute: () => app,
  path: '/contacts/jobs',
  staticData: { title: 'Imports and exports' },
  component: lazyRouteComponent(() => import('@/features/jobs/jobs-page'), 'JobsPage'),
});
const conversations = createRoute({
  getParentRoute: () => app,
  path: '/conversations/{-$conversationId}',
  staticData: { title: 'Conversations', fill: true },
  validateSearch: z.object({
    tab: lenient(z.enum(['all', 'mine', 'unassigned', 'resolved'])),
    q: text,
    panel: lenient(z.enum(['open', 'closed'])),
  }),
  component: lazyRouteComponent(() => import('@/features/inbox/inbox-page'), 'InboxPage'),
});
const campaigns = createRoute({
  getParentRoute: () => app,
  path: '/campaigns',
  staticData: { title: 'Campaigns' },
  validateSearch: campaignsSearch,
  component: lazyRouteComponent(() => import('@/features/campaigns/campaigns-page'), 'CampaignsPage'),
});
const newCampaign = createRoute({
  getParentRoute: () => app,
  path: '/campaigns/new',
  staticData: { title: 'New campaign' },
  validateSearch: z.object({ segment: lenient(z.uuid()), template: lenient(z.uuid()) }),
  component: lazyRouteComponent(() => import('@/features/campaigns/wizard/new-page'), 'NewCampaignPage'),
});
const campaign = createRoute({
  getParentRoute: () => app,
  path: '/campaigns/$campaignId',
  staticData: { title: 'Campaign' },
  validateSearch: z.object({ q: text, status: lenient(z.array(z.enum(recipientStatuses))) }),
  component: lazyRouteComponent(() => import('@/features/campaigns/detail/campaign-page'), 'CampaignPage'),
});
const editCampaign = createRoute({
  getParentRoute: () => app,
  path: '/campaigns/$campaignId/edit',
  staticData: { title: 'Edit campaign' },
  validateSearch: z.object({
    step: lenient(z.enum(['setup', 'audience', 'content', 'schedule', 'review'])),
    // A segment made for this campaign, which becomes its audience.
    segment: lenient(z.uuid()),
  }),
  component: lazyRouteComponent(() => import('@/features/campaigns/wizard/edit-page'), 'EditCampaignPage'),
});
const flows = createRoute({
  getParentRoute: () => app,
  path: '/flows',
  staticData: { title: 'Flows' },
  component: lazyRouteComponent(() => import('@/features/flows/flows-page'), 'FlowsPage'),
});
const segments = createRoute({
  getParentRoute: () => app,
  path: '/segments',
  staticData: { title: 'Segments' },
  validateSearch: z.object({
    q: text,
    kind: lenient(z.enum(['dynamic', 'static'])),
    sort: lenient(z.enum(['name', 'members', 'changed'])),
    page: lenient(z.coerce.number().check(z.int(), z.positive())),
  }),
  component: lazyRouteComponent(() => import('@/features/segments/segments-page'), 'SegmentsPage'),
});
const newSegment = createRoute({
  getParentRoute: () => app,
  path: '/segments/new',
  staticData: { title: 'New segment' },
  validateSearch: z.object({
    kind: lenient(z.enum(['dynamic', 'static'])),
    from: lenient(z.uuid()),
    // Who was ticked in another list; the tab keeps whom (passed-selection.ts).
    selected: lenient(z.boolean()),
    // The campaign whose audience it becomes.
    campaign: lenient(z.uuid()),
  }),
  component: lazyRouteComponent(() => import('@/features/segments/builder-page'), 'NewSegmentPage'),
});
const segment = createRoute({
  getParentRoute: () => app,
  path: '/segments/$segmentId',
  staticData: { title: 'Segment' },
  validateSearch: z.object({ q: text, why: lenient(z.uuid()) }),
  component: lazyRouteComponent(() => import('@/features/segments/segment-page'), 'SegmentPage'),
});
const editSegment = createRoute({
  getParentRoute: () => app,
  path: '/segments/$segmentId/edit',
  staticData: { title: 'Edit segment' },
  component: lazyRouteComponent(() => import('@/features/segments/builder-page'), 'EditSegmentPage'),
});
const templates = createRoute({
  getParentRoute: () => app,
  path: '/templates',
  staticData: { title: 'Templates' },
  validateSearch: templatesSearch,
  component: lazyRouteComponent(() => import('@/features/templates/templates-page'), 'TemplatesPage'),
});
const templateStep = lenient(z.enum(['review']));
const newTemplate = createRoute({
  getParentRoute: () => app,
  path: '/templates/new',
  staticData: { title: 'New template' },
  validateSearch: z.object({ draft: lenient(z.uuid()), step: templateStep }),
  component: lazyRouteComponent(() => import('@/features/templates/builder-page'), 'NewTemplatePage'),
});
const template = createRoute({
  getParentRoute: () => app,
  path: '/templates/$templateId',
  staticData: { title: 'Template' },
  component: lazyRouteComponent(() => import('@/features/templates/template-page'), 'TemplatePage'),
});
const editTemplate = createRoute({
  getParentRoute: () => app,
  path: '/templates/$templateId/edit',
  staticData: { title: 'Edit template' },
  validateSearch: z.object({ step: templateStep }),
  component: lazyRouteComponent(() => import('@/features/templates/builder-page'), 'EditTemplatePage'),
});
const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings/$section',
  staticData: { title: 'Settings' },
  component: lazyRouteComponent(() => import('@/features/tenancy/settings-page'), 'SettingsPage'),
});

const routeTree = root.addChildren([
  guest.addChildren([
    signIn,
    signUp,
    checkMail,
    verify,
    forgotPassword,
    resetPassword,
    invitation,
    onboarding,
  ]),
  app.addChildren([
    home,
    dashboard,
    contacts,
    contact,
    contactImport,
    contactJobs,
    conversations,
    campaigns,
    newCampaign,
    campaign,
    editCampaign,
    flows,
    segments,
    newSegment,
    segment,
    editSegment,
    templates,
    newTemplate,
    template,
    editTemplate,
    settings,
  ]),
]);

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultErrorComponent: PageProblem,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
    scrollToTopSelectors: ['#main'],
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
  interface StaticDataRouteOption {
    title?: string;
    /** The page scrolls its own parts instead of the whole. */
    fill?: boolean;
  }
}
