import { Text, Title } from '@mantine/core';
import type { Detail } from '../model';
import classes from './detail.module.css';

/** What the campaign changed, against those who were held out. */
export function Lift({ lift }: { lift: NonNullable<Detail['lift']> }) {
  const sentence = typeof lift.sentence === 'string' ? lift.sentence : undefined;
  return (
    <section className={classes.card} aria-labelledby="lift-title">
      <Title order={3} fz="md" id="lift-title" mb={8}>
        Against the group held out
      </Title>
      <Text>{sentence ?? 'It is too early to tell.'}</Text>
    </section>
  );
}
