import * as z from 'zod/mini';

const optional = z.nullish(z.string());

const headerSchema = z.nullish(
  z.object({
    /** `text`, `image`, `video`, `document`, `gif`, `location` or `product`; open, because Meta adds kinds. */
    kind: z.string(),
    text: optional,
    /** Where the media is to be seen; absent while only its kind is known. */
    link: optional,
    filename: optional,
    /** Our own copy of the sample, in bucket `templates`. */
    media: z.nullish(z.object({ path: z.string(), mime: z.nullish(z.string()) })),
  }),
);

const buttonSchema = z.object({
  kind: z.string(),
  text: z.nullish(z.string()),
  url: optional,
  phone: optional,
});

const cardSchema = z.object({
  header: headerSchema,
  body: optional,
  footer: optional,
  buttons: z._default(z.array(buttonSchema), []),
});

/** What `render_template` of the database gives: a template with its values put in. */
export const renderedSchema = z.object({
  header: headerSchema,
  body: z.nullish(z.string()),
  footer: optional,
  buttons: z._default(z.array(buttonSchema), []),
  cards: z._default(z.nullable(z.array(cardSchema)), []),
});

export type Rendered = z.infer<typeof renderedSchema>;
export type RenderedHeader = z.infer<typeof headerSchema>;
export type RenderedButton = z.infer<typeof buttonSchema>;
export type RenderedCard = z.infer<typeof cardSchema>;
