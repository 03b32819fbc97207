/**
 * A callback as docs/conversions.md has it, to be pasted into bash or zsh. The parentheses let the shell read all of it before
 * `read` asks for the secret, which so stands neither here nor in the shell's history.
 */
export const conversionExample = (origin: string, orgId: string): string => `(
printf 'Secret: '; read -rs SECRET; echo
BODY='{"phone": "+60123456789", "external_id": "order 1042", "amount": 129.90, "currency": "MYR"}'
T=$(date +%s)
V1=$(printf '%s.%s' "$T" "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)
curl -sS "${origin}/conversions/${orgId}" -H "X-OctoPush-Signature: t=$T,v1=$V1" -d "$BODY"; echo
)`;
