import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useOrg } from '@/features/tenancy/queries';
import { count, plural } from '@/lib/time';
import { variantName } from '../words';
import classes from './detail.module.css';
import { linksQuery } from './link-queries';

/** Where the tracked buttons lead, and how many people followed them. */
export function Links({ campaignId, clicked }: { campaignId: string; clicked: number }) {
  const { orgId } = useOrg();
  const links = useQuery(linksQuery(orgId, campaignId, clicked));
  if (!links.data || links.data.length === 0) return null;
  const several = new Set(links.data.map(({ variant }) => variant)).size > 1;
  return (
    <section className={classes.card} aria-labelledby="links-title">
      <Title order={3} fz="md" id="links-title" mb={8}>
        Links
      </Title>
      <ul className={classes.reasons}>
        {links.data.map(({ variant, button, destination, people, clicks }) => (
          <li key={`${variant} ${button}`}>
            <span className={classes.link} title={destination}>
              {destination.replace(/^https:\/\//, '')}
              {several && (
                <Text size="sm" c="dimmed" component="span">
                  {' '}
                  {variantName(variant)}
                </Text>
              )}
            </span>
            <span className={classes.figure} title={plural(clicks, 'click')}>
              {count(people)}
            </span>
          </li>
        ))}
      </ul>
      <Text size="sm" c="dimmed" mt={6}>
        People who followed each link. Previews and machines aren’t counted.
      </Text>
    </section>
  );
}
