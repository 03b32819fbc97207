/** The mark beside the name; decorative, the name is read out. */
export function Logo({ size = 32 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden focusable="false">
      <rect width="32" height="32" rx="9" fill="#FF2D55" />
      <path
        d="M9 24v-9a7 7 0 0 1 14 0v9M13 24v-5M19 24v-5"
        fill="none"
        stroke="#fff"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <circle cx="13.2" cy="14" r="1.5" fill="#fff" />
      <circle cx="18.8" cy="14" r="1.5" fill="#fff" />
    </svg>
  );
}
