import { Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { TextLink } from '@/components/text-link';
import { PhonePreview } from '@/features/templates/preview/phone-preview';
import { useOrg } from '@/features/tenancy/queries';
import type { Variant } from '../model';
import { templatePreviewQuery } from '../templates';
import { previewValues } from '../wizard/variables';
import { variantName } from '../words';
import classes from './detail.module.css';

/** The message itself: fixed values as they went out, fields of the contact as whoever has none got them. */
export function Sent({ variants }: { variants: Variant[] }) {
  return (
    <section className={classes.card} aria-labelledby="sent-title">
      <Title order={3} fz="md" id="sent-title" mb={8}>
        {variants.length > 1 ? 'Messages' : 'Message'}
      </Title>
      <Stack gap="md">
        {variants.map((variant) => (
          <div key={variant.position}>
            <Text size="sm" c="dimmed" mb={6}>
              {variants.length > 1 && `${variantName(variant.position)} · `}
              {variant.template_id ? (
                <TextLink to="/templates/$templateId" params={{ templateId: variant.template_id }}>
                  {variant.template_name ?? 'Template'}
                </TextLink>
              ) : (
                'The template was deleted'
              )}
            </Text>
            {variant.template_id && <Preview variant={variant} templateId={variant.template_id} />}
          </div>
        ))}
      </Stack>
    </section>
  );
}

function Preview({ variant, templateId }: { variant: Variant; templateId: string }) {
  const { orgId } = useOrg();
  const preview = useQuery(templatePreviewQuery(orgId, templateId, previewValues(variant.variables)));
  if (preview.isError) return <Text size="sm">The message can’t be shown just now.</Text>;
  if (!preview.data) return <Skeleton height={80} role="status" aria-label="Loading" />;
  return <PhonePreview rendered={preview.data} bare />;
}
