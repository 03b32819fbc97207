import { Skeleton, Stack } from '@mantine/core';
import { Suspense } from 'react';
import { lazyPart } from '@/lib/lazy-part';
import type { ContactFormProps } from './contact-form';

const Form = lazyPart(async () => (await import('./contact-form')).ContactForm);

/** The form with its selects is loaded when somebody opens it, not with every list and conversation. */
export function ContactForm(props: ContactFormProps) {
  return (
    <Suspense
      fallback={
        <Stack role="status" aria-label="Loading">
          <Skeleton height={60} />
          <Skeleton height={60} />
          <Skeleton height={60} />
        </Stack>
      }
    >
      <Form {...props} />
    </Suspense>
  );
}
