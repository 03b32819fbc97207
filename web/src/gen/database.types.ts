
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  
  "public": {
          Tables: {
            "activity_log": {
                  Row: {
                    "actor_id": string | null,"contact_id": string | null,"conversation_id": string | null,"created_at": string,"data": NonNullable<Json>,"id": string,"kind": string,"org_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "actor_id"?: string | null,"contact_id"?: string | null,"conversation_id"?: string | null,"created_at"?: string,"data"?: NonNullable<Json>,"id"?: string,"kind": string,"org_id": string
                  }
                  Update: {
                    "actor_id"?: string | null,"contact_id"?: string | null,"conversation_id"?: string | null,"created_at"?: string,"data"?: NonNullable<Json>,"id"?: string,"kind"?: string,"org_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "activity_log_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"campaign_recipients": {
                  Row: {
                    "attempts": number,"campaign_id": string,"clicked_at": string | null,"contact_id": string,"delivered_at": string | null,"error_code": string | null,"error_message": string | null,"exclusion_reason": string | null,"failed_at": string | null,"is_uncertain": boolean,"message_id": string | null,"opportunity_at": string | null,"org_id": string,"position": number,"queued_at": string | null,"read_at": string | null,"ready_at": string | null,"replied_at": string | null,"sent_at": string | null,"status": string,"variant": number | null
                  }
                  ComputedFields: never
                  Insert: {
                    "attempts"?: number,"campaign_id": string,"clicked_at"?: string | null,"contact_id": string,"delivered_at"?: string | null,"error_code"?: string | null,"error_message"?: string | null,"exclusion_reason"?: string | null,"failed_at"?: string | null,"is_uncertain"?: boolean,"message_id"?: string | null,"opportunity_at"?: string | null,"org_id": string,"position": number,"queued_at"?: string | null,"read_at"?: string | null,"ready_at"?: string | null,"replied_at"?: string | null,"sent_at"?: string | null,"status": string,"variant"?: number | null
                  }
                  Update: {
                    "attempts"?: number,"campaign_id"?: string,"clicked_at"?: string | null,"contact_id"?: string,"delivered_at"?: string | null,"error_code"?: string | null,"error_message"?: string | null,"exclusion_reason"?: string | null,"failed_at"?: string | null,"is_uncertain"?: boolean,"message_id"?: string | null,"opportunity_at"?: string | null,"org_id"?: string,"position"?: number,"queued_at"?: string | null,"read_at"?: string | null,"ready_at"?: string | null,"replied_at"?: string | null,"sent_at"?: string | null,"status"?: string,"variant"?: number | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "campaign_recipients_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"campaign_settings": {
                  Row: {
                    "marketing_cap": Json | null,"message_prices": Json | null,"org_id": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "marketing_cap"?: Json | null,"message_prices"?: Json | null,"org_id": string,"updated_at"?: string
                  }
                  Update: {
                    "marketing_cap"?: Json | null,"message_prices"?: Json | null,"org_id"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "campaign_settings_org_id_fkey"
      columns: ["org_id"]
isOneToOne: true
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"campaign_variants": {
                  Row: {
                    "campaign_id": string,"links": NonNullable<Json>,"org_id": string,"position": number,"share": number,"template_id": string | null,"variables": NonNullable<Json>
                  }
                  ComputedFields: never
                  Insert: {
                    "campaign_id": string,"links"?: NonNullable<Json>,"org_id": string,"position": number,"share"?: number,"template_id"?: string | null,"variables"?: NonNullable<Json>
                  }
                  Update: {
                    "campaign_id"?: string,"links"?: NonNullable<Json>,"org_id"?: string,"position"?: number,"share"?: number,"template_id"?: string | null,"variables"?: NonNullable<Json>
                  }
                  Relationships: [
                    {
      foreignKeyName: "campaign_variants_org_id_campaign_id_fkey"
      columns: ["org_id","campaign_id"]
isOneToOne: false
      referencedRelation: "campaigns"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "campaign_variants_org_id_template_id_fkey"
      columns: ["org_id","template_id"]
isOneToOne: false
      referencedRelation: "templates"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"campaigns": {
                  Row: {
                    "attribution_days": number,"audience": Json | null,"created_at": string,"created_by": string | null,"description": string | null,"finished_at": string | null,"holdout_percent": number,"id": string,"is_marketing": boolean,"launched_at": string | null,"name": string,"org_id": string,"planned_cost": Json | null,"quiet_hours": Json | null,"resumes_at": string | null,"scheduled_at": string | null,"started_at": string | null,"status": string,"status_reason": string | null,"test": Json | null,"tested_at": string | null,"time_zone": string | null,"uncertain_hours": number,"uncertain_policy": string,"updated_at": string,"waiting_for": string | null,"whatsapp_account_id": string | null,"winner": number | null
                  }
                  ComputedFields: never
                  Insert: {
                    "attribution_days"?: number,"audience"?: Json | null,"created_at"?: string,"created_by"?: string | null,"description"?: string | null,"finished_at"?: string | null,"holdout_percent"?: number,"id"?: string,"is_marketing"?: boolean,"launched_at"?: string | null,"name": string,"org_id": string,"planned_cost"?: Json | null,"quiet_hours"?: Json | null,"resumes_at"?: string | null,"scheduled_at"?: string | null,"started_at"?: string | null,"status"?: string,"status_reason"?: string | null,"test"?: Json | null,"tested_at"?: string | null,"time_zone"?: string | null,"uncertain_hours"?: number,"uncertain_policy"?: string,"updated_at"?: string,"waiting_for"?: string | null,"whatsapp_account_id"?: string | null,"winner"?: number | null
                  }
                  Update: {
                    "attribution_days"?: number,"audience"?: Json | null,"created_at"?: string,"created_by"?: string | null,"description"?: string | null,"finished_at"?: string | null,"holdout_percent"?: number,"id"?: string,"is_marketing"?: boolean,"launched_at"?: string | null,"name"?: string,"org_id"?: string,"planned_cost"?: Json | null,"quiet_hours"?: Json | null,"resumes_at"?: string | null,"scheduled_at"?: string | null,"started_at"?: string | null,"status"?: string,"status_reason"?: string | null,"test"?: Json | null,"tested_at"?: string | null,"time_zone"?: string | null,"uncertain_hours"?: number,"uncertain_policy"?: string,"updated_at"?: string,"waiting_for"?: string | null,"whatsapp_account_id"?: string | null,"winner"?: number | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "campaigns_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "campaigns_org_id_whatsapp_account_id_fkey"
      columns: ["org_id","whatsapp_account_id"]
isOneToOne: false
      referencedRelation: "whatsapp_accounts"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"consent_keywords": {
                  Row: {
                    "bare": string,"kind": string,"org_id": string,"word": string
                  }
                  ComputedFields: never
                  Insert: {
                    "bare": string,"kind": string,"org_id": string,"word": string
                  }
                  Update: {
                    "bare"?: string,"kind"?: string,"org_id"?: string,"word"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "consent_keywords_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"contact_consents": {
                  Row: {
                    "actor_id": string | null,"contact_id": string,"created_at": string,"decided_at": string,"evidence": string | null,"id": string,"new_status": string,"old_status": string | null,"org_id": string,"source": string
                  }
                  ComputedFields: never
                  Insert: {
                    "actor_id"?: string | null,"contact_id": string,"created_at"?: string,"decided_at"?: string,"evidence"?: string | null,"id"?: string,"new_status": string,"old_status"?: string | null,"org_id": string,"source": string
                  }
                  Update: {
                    "actor_id"?: string | null,"contact_id"?: string,"created_at"?: string,"decided_at"?: string,"evidence"?: string | null,"id"?: string,"new_status"?: string,"old_status"?: string | null,"org_id"?: string,"source"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "contact_consents_org_id_contact_id_fkey"
      columns: ["org_id","contact_id"]
isOneToOne: false
      referencedRelation: "contacts"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"contact_tags": {
                  Row: {
                    "contact_id": string,"created_at": string,"org_id": string,"tag_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "contact_id": string,"created_at"?: string,"org_id": string,"tag_id": string
                  }
                  Update: {
                    "contact_id"?: string,"created_at"?: string,"org_id"?: string,"tag_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "contact_tags_org_id_contact_id_fkey"
      columns: ["org_id","contact_id"]
isOneToOne: false
      referencedRelation: "contacts"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "contact_tags_org_id_tag_id_fkey"
      columns: ["org_id","tag_id"]
isOneToOne: false
      referencedRelation: "tag_usage"
      referencedColumns: ["org_id","tag_id"]
    },{
      foreignKeyName: "contact_tags_org_id_tag_id_fkey"
      columns: ["org_id","tag_id"]
isOneToOne: false
      referencedRelation: "tags"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"contacts": {
                  Row: {
                    "address": Json | null,"avatar_url": string | null,"birthday": string | null,"bsuid": string | null,"company": string | null,"created_at": string,"custom_fields": NonNullable<Json>,"deleted_at": string | null,"email": string | null,"erased_at": string | null,"full_name": string | null,"id": string,"job_title": string | null,"last_inbound_at": string | null,"last_message_at": string | null,"lifecycle_stage": string,"marketing_stopped_at": string | null,"messages_received": number,"messages_sent": number,"not_on_whatsapp_at": string | null,"notes": string | null,"opt_in_at": string | null,"opt_in_source": string | null,"opt_in_status": string,"org_id": string,"phone": string | null,"search_text": string | null,"source": string,"updated_at": string,"username": string | null,"wa_id": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "address"?: Json | null,"avatar_url"?: string | null,"birthday"?: string | null,"bsuid"?: string | null,"company"?: string | null,"created_at"?: string,"custom_fields"?: NonNullable<Json>,"deleted_at"?: string | null,"email"?: string | null,"erased_at"?: string | null,"full_name"?: string | null,"id"?: string,"job_title"?: string | null,"last_inbound_at"?: string | null,"last_message_at"?: string | null,"lifecycle_stage"?: string,"marketing_stopped_at"?: string | null,"messages_received"?: number,"messages_sent"?: number,"not_on_whatsapp_at"?: string | null,"notes"?: string | null,"opt_in_at"?: string | null,"opt_in_source"?: string | null,"opt_in_status"?: string,"org_id": string,"phone"?: string | null,"search_text"?: never,"source"?: string,"updated_at"?: string,"username"?: string | null,"wa_id"?: string | null
                  }
                  Update: {
                    "address"?: Json | null,"avatar_url"?: string | null,"birthday"?: string | null,"bsuid"?: string | null,"company"?: string | null,"created_at"?: string,"custom_fields"?: NonNullable<Json>,"deleted_at"?: string | null,"email"?: string | null,"erased_at"?: string | null,"full_name"?: string | null,"id"?: string,"job_title"?: string | null,"last_inbound_at"?: string | null,"last_message_at"?: string | null,"lifecycle_stage"?: string,"marketing_stopped_at"?: string | null,"messages_received"?: number,"messages_sent"?: number,"not_on_whatsapp_at"?: string | null,"notes"?: string | null,"opt_in_at"?: string | null,"opt_in_source"?: string | null,"opt_in_status"?: string,"org_id"?: string,"phone"?: string | null,"search_text"?: never,"source"?: string,"updated_at"?: string,"username"?: string | null,"wa_id"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "contacts_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"conversations": {
                  Row: {
                    "assigned_to": string | null,"contact_id": string,"created_at": string,"folder": string,"id": string,"is_quiet": boolean,"last_inbound_at": string | null,"last_message_at": string,"last_message_direction": string | null,"last_message_id": string | null,"last_message_preview": string | null,"last_message_type": string | null,"last_read_at": string,"org_id": string,"snoozed_until": string | null,"status": string,"unread_count": number,"updated_at": string,"whatsapp_account_id": string,"window_expires_at": string | null,"window_warned_at": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "assigned_to"?: string | null,"contact_id": string,"created_at"?: string,"folder"?: never,"id"?: string,"is_quiet"?: boolean,"last_inbound_at"?: string | null,"last_message_at"?: string,"last_message_direction"?: string | null,"last_message_id"?: string | null,"last_message_preview"?: string | null,"last_message_type"?: string | null,"last_read_at"?: string,"org_id": string,"snoozed_until"?: string | null,"status"?: string,"unread_count"?: number,"updated_at"?: string,"whatsapp_account_id": string,"window_expires_at"?: string | null,"window_warned_at"?: string | null
                  }
                  Update: {
                    "assigned_to"?: string | null,"contact_id"?: string,"created_at"?: string,"folder"?: never,"id"?: string,"is_quiet"?: boolean,"last_inbound_at"?: string | null,"last_message_at"?: string,"last_message_direction"?: string | null,"last_message_id"?: string | null,"last_message_preview"?: string | null,"last_message_type"?: string | null,"last_read_at"?: string,"org_id"?: string,"snoozed_until"?: string | null,"status"?: string,"unread_count"?: number,"updated_at"?: string,"whatsapp_account_id"?: string,"window_expires_at"?: string | null,"window_warned_at"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "conversations_org_id_contact_id_fkey"
      columns: ["org_id","contact_id"]
isOneToOne: false
      referencedRelation: "contacts"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "conversations_org_id_whatsapp_account_id_fkey"
      columns: ["org_id","whatsapp_account_id"]
isOneToOne: false
      referencedRelation: "whatsapp_accounts"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"custom_field_definitions": {
                  Row: {
                    "archived_at": string | null,"created_at": string,"id": string,"key": string,"label": string,"options": (string)[],"org_id": string,"position": number,"type": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "archived_at"?: string | null,"created_at"?: string,"id"?: string,"key": string,"label": string,"options"?: (string)[],"org_id": string,"position"?: number,"type": string,"updated_at"?: string
                  }
                  Update: {
                    "archived_at"?: string | null,"created_at"?: string,"id"?: string,"key"?: string,"label"?: string,"options"?: (string)[],"org_id"?: string,"position"?: number,"type"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "custom_field_definitions_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"jobs": {
                  Row: {
                    "created_at": string,"created_by": string | null,"done_count": number,"expires_at": string,"finished_at": string | null,"id": string,"input": NonNullable<Json>,"kind": string,"org_id": string,"problem": string | null,"result": Json | null,"started_at": string | null,"status": string,"total_count": number | null
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"created_by"?: string | null,"done_count"?: number,"expires_at"?: string,"finished_at"?: string | null,"id"?: string,"input"?: NonNullable<Json>,"kind": string,"org_id": string,"problem"?: string | null,"result"?: Json | null,"started_at"?: string | null,"status"?: string,"total_count"?: number | null
                  }
                  Update: {
                    "created_at"?: string,"created_by"?: string | null,"done_count"?: number,"expires_at"?: string,"finished_at"?: string | null,"id"?: string,"input"?: NonNullable<Json>,"kind"?: string,"org_id"?: string,"problem"?: string | null,"result"?: Json | null,"started_at"?: string | null,"status"?: string,"total_count"?: number | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "jobs_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"messages": {
                  Row: {
                    "accepted_at": string | null,"body": string | null,"campaign_id": string | null,"client_key": string | null,"contact_id": string,"conversation_id": string,"created_at": string,"delivered_at": string | null,"direction": string,"error_code": string | null,"error_message": string | null,"failed_at": string | null,"id": string,"is_uncertain": boolean,"occurred_at": string,"org_id": string,"payload": Json | null,"reactions": NonNullable<Json>,"read_at": string | null,"reply_to_message_id": string | null,"reply_to_wa_message_id": string | null,"send_try": number,"sent_at": string | null,"sent_by": string | null,"status": string,"template_id": string | null,"type": string,"wa_message_id": string | null,"whatsapp_account_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "accepted_at"?: string | null,"body"?: string | null,"campaign_id"?: string | null,"client_key"?: string | null,"contact_id": string,"conversation_id": string,"created_at"?: string,"delivered_at"?: string | null,"direction": string,"error_code"?: string | null,"error_message"?: string | null,"failed_at"?: string | null,"id"?: string,"is_uncertain"?: boolean,"occurred_at"?: string,"org_id": string,"payload"?: Json | null,"reactions"?: NonNullable<Json>,"read_at"?: string | null,"reply_to_message_id"?: string | null,"reply_to_wa_message_id"?: string | null,"send_try"?: number,"sent_at"?: string | null,"sent_by"?: string | null,"status": string,"template_id"?: string | null,"type": string,"wa_message_id"?: string | null,"whatsapp_account_id": string
                  }
                  Update: {
                    "accepted_at"?: string | null,"body"?: string | null,"campaign_id"?: string | null,"client_key"?: string | null,"contact_id"?: string,"conversation_id"?: string,"created_at"?: string,"delivered_at"?: string | null,"direction"?: string,"error_code"?: string | null,"error_message"?: string | null,"failed_at"?: string | null,"id"?: string,"is_uncertain"?: boolean,"occurred_at"?: string,"org_id"?: string,"payload"?: Json | null,"reactions"?: NonNullable<Json>,"read_at"?: string | null,"reply_to_message_id"?: string | null,"reply_to_wa_message_id"?: string | null,"send_try"?: number,"sent_at"?: string | null,"sent_by"?: string | null,"status"?: string,"template_id"?: string | null,"type"?: string,"wa_message_id"?: string | null,"whatsapp_account_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "messages_org_id_conversation_id_fkey"
      columns: ["org_id","conversation_id"]
isOneToOne: false
      referencedRelation: "conversation_list"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "messages_org_id_conversation_id_fkey"
      columns: ["org_id","conversation_id"]
isOneToOne: false
      referencedRelation: "conversations"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"notifications": {
                  Row: {
                    "created_at": string,"data": NonNullable<Json>,"id": string,"kind": string,"org_id": string,"priority": string,"read_at": string | null,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"data"?: NonNullable<Json>,"id"?: string,"kind": string,"org_id": string,"priority"?: string,"read_at"?: string | null,"user_id": string
                  }
                  Update: {
                    "created_at"?: string,"data"?: NonNullable<Json>,"id"?: string,"kind"?: string,"org_id"?: string,"priority"?: string,"read_at"?: string | null,"user_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "notifications_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"opportunities": {
                  Row: {
                    "amount": number | null,"campaign_id": string | null,"contact_id": string,"created_at": string,"created_by": string | null,"currency": string | null,"external_id": string | null,"held_out_campaign_id": string | null,"id": string,"note": string | null,"occurred_at": string,"org_id": string,"source": string
                  }
                  ComputedFields: never
                  Insert: {
                    "amount"?: number | null,"campaign_id"?: string | null,"contact_id": string,"created_at"?: string,"created_by"?: string | null,"currency"?: string | null,"external_id"?: string | null,"held_out_campaign_id"?: string | null,"id"?: string,"note"?: string | null,"occurred_at": string,"org_id": string,"source": string
                  }
                  Update: {
                    "amount"?: number | null,"campaign_id"?: string | null,"contact_id"?: string,"created_at"?: string,"created_by"?: string | null,"currency"?: string | null,"external_id"?: string | null,"held_out_campaign_id"?: string | null,"id"?: string,"note"?: string | null,"occurred_at"?: string,"org_id"?: string,"source"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "opportunities_org_id_campaign_id_fkey"
      columns: ["org_id","campaign_id"]
isOneToOne: false
      referencedRelation: "campaigns"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "opportunities_org_id_contact_id_fkey"
      columns: ["org_id","contact_id"]
isOneToOne: false
      referencedRelation: "contacts"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "opportunities_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "opportunities_org_id_held_out_campaign_id_fkey"
      columns: ["org_id","held_out_campaign_id"]
isOneToOne: false
      referencedRelation: "campaigns"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"org_invitations": {
                  Row: {
                    "accepted_at": string | null,"created_at": string,"email": string,"expires_at": string,"id": string,"invited_by": string | null,"org_id": string,"revoked_at": string | null,"role": string,"token_hash": string
                  }
                  ComputedFields: never
                  Insert: {
                    "accepted_at"?: string | null,"created_at"?: string,"email": string,"expires_at": string,"id"?: string,"invited_by"?: string | null,"org_id": string,"revoked_at"?: string | null,"role": string,"token_hash": string
                  }
                  Update: {
                    "accepted_at"?: string | null,"created_at"?: string,"email"?: string,"expires_at"?: string,"id"?: string,"invited_by"?: string | null,"org_id"?: string,"revoked_at"?: string | null,"role"?: string,"token_hash"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "org_invitations_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"org_memberships": {
                  Row: {
                    "created_at": string,"org_id": string,"role": string,"updated_at": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"org_id": string,"role": string,"updated_at"?: string,"user_id": string
                  }
                  Update: {
                    "created_at"?: string,"org_id"?: string,"role"?: string,"updated_at"?: string,"user_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "org_memberships_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "org_memberships_user_id_fkey1"
      columns: ["user_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["user_id"]
    }
                  ]
                },"organizations": {
                  Row: {
                    "country": string,"created_at": string,"deleted_at": string | null,"id": string,"name": string,"time_zone": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "country"?: string,"created_at"?: string,"deleted_at"?: string | null,"id"?: string,"name": string,"time_zone"?: string,"updated_at"?: string
                  }
                  Update: {
                    "country"?: string,"created_at"?: string,"deleted_at"?: string | null,"id"?: string,"name"?: string,"time_zone"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    
                  ]
                },"profiles": {
                  Row: {
                    "avatar_url": string | null,"created_at": string,"email": string,"full_name": string,"updated_at": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "avatar_url"?: string | null,"created_at"?: string,"email": string,"full_name"?: string,"updated_at"?: string,"user_id": string
                  }
                  Update: {
                    "avatar_url"?: string | null,"created_at"?: string,"email"?: string,"full_name"?: string,"updated_at"?: string,"user_id"?: string
                  }
                  Relationships: [
                    
                  ]
                },"segment_members": {
                  Row: {
                    "contact_id": string,"entered_at": string,"org_id": string,"segment_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "contact_id": string,"entered_at": string,"org_id": string,"segment_id": string
                  }
                  Update: {
                    "contact_id"?: string,"entered_at"?: string,"org_id"?: string,"segment_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "segment_members_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"segment_pins": {
                  Row: {
                    "contact_id": string,"created_at": string,"created_by": string | null,"kind": string,"org_id": string,"segment_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "contact_id": string,"created_at"?: string,"created_by"?: string | null,"kind": string,"org_id": string,"segment_id": string
                  }
                  Update: {
                    "contact_id"?: string,"created_at"?: string,"created_by"?: string | null,"kind"?: string,"org_id"?: string,"segment_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "segment_pins_org_id_contact_id_fkey"
      columns: ["org_id","contact_id"]
isOneToOne: false
      referencedRelation: "contacts"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "segment_pins_segment_id_fkey"
      columns: ["segment_id"]
isOneToOne: false
      referencedRelation: "segments"
      referencedColumns: ["id"]
    }
                  ]
                },"segments": {
                  Row: {
                    "created_at": string,"created_by": string | null,"description": string | null,"evaluated_at": string | null,"id": string,"kind": string,"member_count": number,"name": string,"org_id": string,"rules": Json | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"created_by"?: string | null,"description"?: string | null,"evaluated_at"?: string | null,"id"?: string,"kind": string,"member_count"?: number,"name": string,"org_id": string,"rules"?: Json | null,"updated_at"?: string
                  }
                  Update: {
                    "created_at"?: string,"created_by"?: string | null,"description"?: string | null,"evaluated_at"?: string | null,"id"?: string,"kind"?: string,"member_count"?: number,"name"?: string,"org_id"?: string,"rules"?: Json | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "segments_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"tags": {
                  Row: {
                    "color": string,"created_at": string,"id": string,"name": string,"org_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "color"?: string,"created_at"?: string,"id"?: string,"name": string,"org_id": string
                  }
                  Update: {
                    "color"?: string,"created_at"?: string,"id"?: string,"name"?: string,"org_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "tags_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"templates": {
                  Row: {
                    "category": string,"category_changes_at": string | null,"components": NonNullable<Json>,"correct_category": string | null,"created_at": string,"created_by": string | null,"deleted_at": string | null,"delivered_count": number,"has_changes": boolean,"id": string,"language": string,"last_used_at": string | null,"links": NonNullable<Json>,"meta_status": string | null,"meta_status_at": string | null,"name": string,"org_id": string,"parameter_format": string,"previous_category": string | null,"problem": string | null,"quality": string,"read_count": number,"rejected_reason": string | null,"reviewed_at": string | null,"sent_count": number,"status": string,"status_reason": string | null,"submitted_at": string | null,"synced_at": string | null,"updated_at": string,"wa_template_id": string | null,"waba_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "category": string,"category_changes_at"?: string | null,"components"?: NonNullable<Json>,"correct_category"?: string | null,"created_at"?: string,"created_by"?: string | null,"deleted_at"?: string | null,"delivered_count"?: number,"has_changes"?: boolean,"id"?: string,"language": string,"last_used_at"?: string | null,"links"?: NonNullable<Json>,"meta_status"?: string | null,"meta_status_at"?: string | null,"name": string,"org_id": string,"parameter_format"?: string,"previous_category"?: string | null,"problem"?: string | null,"quality"?: string,"read_count"?: number,"rejected_reason"?: string | null,"reviewed_at"?: string | null,"sent_count"?: number,"status"?: string,"status_reason"?: string | null,"submitted_at"?: string | null,"synced_at"?: string | null,"updated_at"?: string,"wa_template_id"?: string | null,"waba_id": string
                  }
                  Update: {
                    "category"?: string,"category_changes_at"?: string | null,"components"?: NonNullable<Json>,"correct_category"?: string | null,"created_at"?: string,"created_by"?: string | null,"deleted_at"?: string | null,"delivered_count"?: number,"has_changes"?: boolean,"id"?: string,"language"?: string,"last_used_at"?: string | null,"links"?: NonNullable<Json>,"meta_status"?: string | null,"meta_status_at"?: string | null,"name"?: string,"org_id"?: string,"parameter_format"?: string,"previous_category"?: string | null,"problem"?: string | null,"quality"?: string,"read_count"?: number,"rejected_reason"?: string | null,"reviewed_at"?: string | null,"sent_count"?: number,"status"?: string,"status_reason"?: string | null,"submitted_at"?: string | null,"synced_at"?: string | null,"updated_at"?: string,"wa_template_id"?: string | null,"waba_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "templates_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"whatsapp_accounts": {
                  Row: {
                    "business_id": string | null,"connected_at": string | null,"created_at": string,"display_phone_number": string | null,"id": string,"is_receiving": boolean,"messages_per_second": number,"messaging_tier": string | null,"org_id": string,"paused_until": string | null,"phone_number_id": string,"quality_rating": string,"status": string,"status_reason": string | null,"updated_at": string,"verified_name": string | null,"waba_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "business_id"?: string | null,"connected_at"?: string | null,"created_at"?: string,"display_phone_number"?: string | null,"id"?: string,"is_receiving"?: never,"messages_per_second"?: number,"messaging_tier"?: string | null,"org_id": string,"paused_until"?: string | null,"phone_number_id": string,"quality_rating"?: string,"status"?: string,"status_reason"?: string | null,"updated_at"?: string,"verified_name"?: string | null,"waba_id": string
                  }
                  Update: {
                    "business_id"?: string | null,"connected_at"?: string | null,"created_at"?: string,"display_phone_number"?: string | null,"id"?: string,"is_receiving"?: never,"messages_per_second"?: number,"messaging_tier"?: string | null,"org_id"?: string,"paused_until"?: string | null,"phone_number_id"?: string,"quality_rating"?: string,"status"?: string,"status_reason"?: string | null,"updated_at"?: string,"verified_name"?: string | null,"waba_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "whatsapp_accounts_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"whatsapp_events": {
                  Row: {
                    "body_hash": string,"created_at": string,"field": string,"id": string,"org_id": string,"payload": NonNullable<Json>,"webhook_event_id": number | null,"whatsapp_account_id": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "body_hash": string,"created_at"?: string,"field": string,"id"?: string,"org_id": string,"payload": NonNullable<Json>,"webhook_event_id"?: number | null,"whatsapp_account_id"?: string | null
                  }
                  Update: {
                    "body_hash"?: string,"created_at"?: string,"field"?: string,"id"?: string,"org_id"?: string,"payload"?: NonNullable<Json>,"webhook_event_id"?: number | null,"whatsapp_account_id"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "whatsapp_events_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "whatsapp_events_org_id_whatsapp_account_id_fkey"
      columns: ["org_id","whatsapp_account_id"]
isOneToOne: false
      referencedRelation: "whatsapp_accounts"
      referencedColumns: ["org_id","id"]
    }
                  ]
                }
          }
          Views: {
            "conversation_list": {
                  Row: {
                    "account_display_phone_number": string | null,"assigned_to": string | null,"contact_avatar_url": string | null,"contact_id": string,"contact_name": string | null,"contact_opt_in_status": string,"contact_phone": string | null,"created_at": string,"folder": string,"id": string,"last_inbound_at": string | null,"last_message_at": string,"last_message_direction": string | null,"last_message_id": string | null,"last_message_preview": string | null,"last_message_status": string | null,"last_message_type": string | null,"last_read_at": string,"org_id": string,"snoozed_until": string | null,"status": string,"unread_count": number,"updated_at": string,"whatsapp_account_id": string,"window_expires_at": string | null
                  }
                  ComputedFields: never
                  Relationships: [
                    {
      foreignKeyName: "conversations_org_id_contact_id_fkey"
      columns: ["org_id","contact_id"]
isOneToOne: false
      referencedRelation: "contacts"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "conversations_org_id_whatsapp_account_id_fkey"
      columns: ["org_id","whatsapp_account_id"]
isOneToOne: false
      referencedRelation: "whatsapp_accounts"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"opportunity_list": {
                  Row: {
                    "amount": number | null,"campaign_id": string | null,"campaign_name": string | null,"contact_id": string,"created_at": string,"created_by": string | null,"created_by_name": string | null,"currency": string | null,"external_id": string | null,"id": string,"note": string | null,"occurred_at": string,"org_id": string,"source": string
                  }
                  ComputedFields: never
                  Relationships: [
                    {
      foreignKeyName: "opportunities_org_id_campaign_id_fkey"
      columns: ["org_id","campaign_id"]
isOneToOne: false
      referencedRelation: "campaigns"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "opportunities_org_id_contact_id_fkey"
      columns: ["org_id","contact_id"]
isOneToOne: false
      referencedRelation: "contacts"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "opportunities_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"tag_usage": {
                  Row: {
                    "contacts": number | null,"org_id": string,"tag_id": string
                  }
                  ComputedFields: never
                  Insert: {
                           "contacts"?: never,"org_id"?: string | null,"tag_id"?: string | null
                         }
                        Update: {
                           "contacts"?: never,"org_id"?: string | null,"tag_id"?: string | null
                         }
                        Relationships: [
                    {
      foreignKeyName: "tags_org_id_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                }
          }
          Functions: {
            "accept_invitation":
{ Args: { "p_token": string }; Returns: string
                           },
"add_note":
{ Args: { "p_body": string,"p_client_key": string,"p_conversation_id": string }; Returns: {
              "accepted_at": string | null,
"body": string | null,
"campaign_id": string | null,
"client_key": string | null,
"contact_id": string,
"conversation_id": string,
"created_at": string,
"delivered_at": string | null,
"direction": string,
"error_code": string | null,
"error_message": string | null,
"failed_at": string | null,
"id": string,
"is_uncertain": boolean,
"occurred_at": string,
"org_id": string,
"payload": Json | null,
"reactions": NonNullable<Json>,
"read_at": string | null,
"reply_to_message_id": string | null,
"reply_to_wa_message_id": string | null,
"send_try": number,
"sent_at": string | null,
"sent_by": string | null,
"status": string,
"template_id": string | null,
"type": string,
"wa_message_id": string | null,
"whatsapp_account_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "messages"
        isOneToOne: true
        isSetofReturn: false
      } },
"archive_custom_field":
{ Args: { "p_id": string }; Returns: {
              "archived_at": string | null,
"created_at": string,
"id": string,
"key": string,
"label": string,
"options": (string)[],
"org_id": string,
"position": number,
"type": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "custom_field_definitions"
        isOneToOne: true
        isSetofReturn: false
      } },
"assign_conversation":
{ Args: { "p_conversation_id": string,"p_user_id": string }; Returns: undefined
                           },
"campaign_audience":
{ Args: { "p_id": string }; Returns: Json
                           },
"campaign_detail":
{ Args: { "p_id": string }; Returns: Json
                           },
"campaign_exclusions":
{ Args: { "p_after"?: string,"p_id": string,"p_limit"?: number,"p_reason"?: string }; Returns: Json
                           },
"campaign_links":
{ Args: { "p_id": string }; Returns: Json
                           },
"cancel_campaign":
{ Args: { "p_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"cancel_job":
{ Args: { "p_job_id": string }; Returns: {
              "created_at": string,
"created_by": string | null,
"done_count": number,
"expires_at": string,
"finished_at": string | null,
"id": string,
"input": NonNullable<Json>,
"kind": string,
"org_id": string,
"problem": string | null,
"result": Json | null,
"started_at": string | null,
"status": string,
"total_count": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "jobs"
        isOneToOne: true
        isSetofReturn: false
      } },
"change_contacts":
{ Args: { "p_change": Json,"p_org_id": string,"p_selection": Json }; Returns: {
              "created_at": string,
"created_by": string | null,
"done_count": number,
"expires_at": string,
"finished_at": string | null,
"id": string,
"input": NonNullable<Json>,
"kind": string,
"org_id": string,
"problem": string | null,
"result": Json | null,
"started_at": string | null,
"status": string,
"total_count": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "jobs"
        isOneToOne: true
        isSetofReturn: false
      } },
"check_template":
{ Args: { "p_fields": Json,"p_org_id": string }; Returns: Json
                           },
"choose_winner":
{ Args: { "p_id": string,"p_variant": number }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"complete_onboarding":
{ Args: { "p_country"?: string,"p_full_name": string,"p_org_name": string,"p_time_zone"?: string }; Returns: string
                           },
"connect_whatsapp_account":
{ Args: { "p_access_token": string,"p_org_id": string,"p_phone_number_id": string,"p_waba_id": string }; Returns: string
                           },
"contact_segments":
{ Args: { "p_contact_id": string }; Returns: Json
                           },
"contact_timeline":
{ Args: { "p_before"?: string,"p_contact_id": string,"p_limit"?: number }; Returns: Json
                           },
"create_campaign":
{ Args: { "p_fields": Json,"p_org_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_contact":
{ Args: { "p_fields": Json,"p_org_id": string }; Returns: {
              "address": Json | null,
"avatar_url": string | null,
"birthday": string | null,
"bsuid": string | null,
"company": string | null,
"created_at": string,
"custom_fields": NonNullable<Json>,
"deleted_at": string | null,
"email": string | null,
"erased_at": string | null,
"full_name": string | null,
"id": string,
"job_title": string | null,
"last_inbound_at": string | null,
"last_message_at": string | null,
"lifecycle_stage": string,
"marketing_stopped_at": string | null,
"messages_received": number,
"messages_sent": number,
"not_on_whatsapp_at": string | null,
"notes": string | null,
"opt_in_at": string | null,
"opt_in_source": string | null,
"opt_in_status": string,
"org_id": string,
"phone": string | null,
"search_text": string | null,
"source": string,
"updated_at": string,
"username": string | null,
"wa_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "contacts"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_custom_field":
{ Args: { "p_key"?: string,"p_label": string,"p_options"?: (string)[],"p_org_id": string,"p_type": string }; Returns: {
              "archived_at": string | null,
"created_at": string,
"id": string,
"key": string,
"label": string,
"options": (string)[],
"org_id": string,
"position": number,
"type": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "custom_field_definitions"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_export":
{ Args: { "p_org_id": string,"p_selection"?: Json }; Returns: {
              "created_at": string,
"created_by": string | null,
"done_count": number,
"expires_at": string,
"finished_at": string | null,
"id": string,
"input": NonNullable<Json>,
"kind": string,
"org_id": string,
"problem": string | null,
"result": Json | null,
"started_at": string | null,
"status": string,
"total_count": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "jobs"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_import":
{ Args: { "p_file_name": string,"p_org_id": string,"p_path": string }; Returns: {
              "created_at": string,
"created_by": string | null,
"done_count": number,
"expires_at": string,
"finished_at": string | null,
"id": string,
"input": NonNullable<Json>,
"kind": string,
"org_id": string,
"problem": string | null,
"result": Json | null,
"started_at": string | null,
"status": string,
"total_count": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "jobs"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_segment":
{ Args: { "p_description"?: string,"p_kind": string,"p_name": string,"p_org_id": string,"p_rules"?: Json,"p_selection"?: Json }; Returns: {
              "created_at": string,
"created_by": string | null,
"description": string | null,
"evaluated_at": string | null,
"id": string,
"kind": string,
"member_count": number,
"name": string,
"org_id": string,
"rules": Json | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "segments"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_tag":
{ Args: { "p_color"?: string,"p_name": string,"p_org_id": string }; Returns: {
              "color": string,
"created_at": string,
"id": string,
"name": string,
"org_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "tags"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_template":
{ Args: { "p_fields": Json,"p_org_id": string }; Returns: {
              "category": string,
"category_changes_at": string | null,
"components": NonNullable<Json>,
"correct_category": string | null,
"created_at": string,
"created_by": string | null,
"deleted_at": string | null,
"delivered_count": number,
"has_changes": boolean,
"id": string,
"language": string,
"last_used_at": string | null,
"links": NonNullable<Json>,
"meta_status": string | null,
"meta_status_at": string | null,
"name": string,
"org_id": string,
"parameter_format": string,
"previous_category": string | null,
"problem": string | null,
"quality": string,
"read_count": number,
"rejected_reason": string | null,
"reviewed_at": string | null,
"sent_count": number,
"status": string,
"status_reason": string | null,
"submitted_at": string | null,
"synced_at": string | null,
"updated_at": string,
"wa_template_id": string | null,
"waba_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "templates"
        isOneToOne: true
        isSetofReturn: false
      } },
"delete_campaign":
{ Args: { "p_id": string }; Returns: undefined
                           },
"delete_contact":
{ Args: { "p_id": string }; Returns: undefined
                           },
"delete_opportunity":
{ Args: { "p_id": string }; Returns: undefined
                           },
"delete_organization":
{ Args: { "p_confirm_name": string,"p_org_id": string }; Returns: undefined
                           },
"delete_segment":
{ Args: { "p_id": string }; Returns: undefined
                           },
"delete_tag":
{ Args: { "p_id": string }; Returns: undefined
                           },
"delete_template":
{ Args: { "p_id": string }; Returns: undefined
                           },
"disconnect_whatsapp_account":
{ Args: { "p_id": string }; Returns: undefined
                           },
"duplicate_campaign":
{ Args: { "p_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"duplicate_template":
{ Args: { "p_id": string,"p_name": string }; Returns: {
              "category": string,
"category_changes_at": string | null,
"components": NonNullable<Json>,
"correct_category": string | null,
"created_at": string,
"created_by": string | null,
"deleted_at": string | null,
"delivered_count": number,
"has_changes": boolean,
"id": string,
"language": string,
"last_used_at": string | null,
"links": NonNullable<Json>,
"meta_status": string | null,
"meta_status_at": string | null,
"name": string,
"org_id": string,
"parameter_format": string,
"previous_category": string | null,
"problem": string | null,
"quality": string,
"read_count": number,
"rejected_reason": string | null,
"reviewed_at": string | null,
"sent_count": number,
"status": string,
"status_reason": string | null,
"submitted_at": string | null,
"synced_at": string | null,
"updated_at": string,
"wa_template_id": string | null,
"waba_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "templates"
        isOneToOne: true
        isSetofReturn: false
      } },
"erase_contact":
{ Args: { "p_confirmation": string,"p_id": string }; Returns: undefined
                           },
"explain_segment":
{ Args: { "p_contact_id": string,"p_segment_id": string }; Returns: Json
                           },
"export_contact":
{ Args: { "p_id": string }; Returns: Json
                           },
"export_recipients":
{ Args: { "p_id": string }; Returns: {
              "created_at": string,
"created_by": string | null,
"done_count": number,
"expires_at": string,
"finished_at": string | null,
"id": string,
"input": NonNullable<Json>,
"kind": string,
"org_id": string,
"problem": string | null,
"result": Json | null,
"started_at": string | null,
"status": string,
"total_count": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "jobs"
        isOneToOne: true
        isSetofReturn: false
      } },
"inspect_import":
{ Args: { "p_job_id": string,"p_options"?: Json }; Returns: Json
                           },
"invite_member":
{ Args: { "p_email": string,"p_org_id": string,"p_role": string }; Returns: {
              "id": string,"token": string
            }[]
                           },
"launch_campaign":
{ Args: { "p_expected_updated_at"?: string,"p_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"list_campaigns":
{ Args: { "p_created_by"?: string,"p_from"?: string,"p_limit"?: number,"p_offset"?: number,"p_org_id": string,"p_search"?: string,"p_statuses"?: (string)[],"p_to"?: string }; Returns: Json
                           },
"list_contacts":
{ Args: { "p_descending"?: boolean,"p_limit"?: number,"p_offset"?: number,"p_org_id": string,"p_rules"?: Json,"p_search"?: string,"p_sort"?: string,"p_trash"?: boolean }; Returns: Json
                           },
"list_recipients":
{ Args: { "p_after"?: string,"p_id": string,"p_limit"?: number,"p_search"?: string,"p_statuses"?: (string)[] }; Returns: Json
                           },
"list_templates":
{ Args: { "p_category"?: string,"p_descending"?: boolean,"p_is_for_campaigns"?: boolean,"p_language"?: string,"p_limit"?: number,"p_offset"?: number,"p_org_id": string,"p_search"?: string,"p_sort"?: string,"p_status"?: string,"p_waba_id"?: string }; Returns: Json
                           },
"mark_conversation_read":
{ Args: { "p_conversation_id": string }; Returns: undefined
                           },
"mark_conversation_unread":
{ Args: { "p_conversation_id": string }; Returns: undefined
                           },
"mark_notifications_read":
{ Args: { "p_ids"?: (string)[],"p_org_id": string }; Returns: number
                           },
"merge_contacts":
{ Args: { "p_keep_id": string,"p_merge_id": string }; Returns: {
              "address": Json | null,
"avatar_url": string | null,
"birthday": string | null,
"bsuid": string | null,
"company": string | null,
"created_at": string,
"custom_fields": NonNullable<Json>,
"deleted_at": string | null,
"email": string | null,
"erased_at": string | null,
"full_name": string | null,
"id": string,
"job_title": string | null,
"last_inbound_at": string | null,
"last_message_at": string | null,
"lifecycle_stage": string,
"marketing_stopped_at": string | null,
"messages_received": number,
"messages_sent": number,
"not_on_whatsapp_at": string | null,
"notes": string | null,
"opt_in_at": string | null,
"opt_in_source": string | null,
"opt_in_status": string,
"org_id": string,
"phone": string | null,
"search_text": string | null,
"source": string,
"updated_at": string,
"username": string | null,
"wa_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "contacts"
        isOneToOne: true
        isSetofReturn: false
      } },
"pause_campaign":
{ Args: { "p_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"pin_segment_contacts":
{ Args: { "p_contact_ids": (string)[],"p_kind": string,"p_segment_id": string }; Returns: undefined
                           },
"preview_import":
{ Args: { "p_job_id": string,"p_mapping": Json,"p_options"?: Json }; Returns: Json
                           },
"preview_segment":
{ Args: { "p_org_id": string,"p_rules": Json }; Returns: Json
                           },
"preview_template":
{ Args: { "p_id": string,"p_values"?: Json }; Returns: Json
                           },
"record_opportunity":
{ Args: { "p_contact_id": string,"p_fields": Json }; Returns: {
              "amount": number | null,
"campaign_id": string | null,
"contact_id": string,
"created_at": string,
"created_by": string | null,
"currency": string | null,
"external_id": string | null,
"held_out_campaign_id": string | null,
"id": string,
"note": string | null,
"occurred_at": string,
"org_id": string,
"source": string
            }
                          SetofOptions: {
        from: "*"
        to: "opportunities"
        isOneToOne: true
        isSetofReturn: false
      } },
"rehearse_campaign":
{ Args: { "p_id": string,"p_limit"?: number }; Returns: Json
                           },
"remove_member":
{ Args: { "p_org_id": string,"p_user_id": string }; Returns: undefined
                           },
"reopen_conversation":
{ Args: { "p_conversation_id": string }; Returns: undefined
                           },
"resolve_conversation":
{ Args: { "p_conversation_id": string }; Returns: undefined
                           },
"restore_contact":
{ Args: { "p_id": string }; Returns: undefined
                           },
"restore_custom_field":
{ Args: { "p_id": string }; Returns: {
              "archived_at": string | null,
"created_at": string,
"id": string,
"key": string,
"label": string,
"options": (string)[],
"org_id": string,
"position": number,
"type": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "custom_field_definitions"
        isOneToOne: true
        isSetofReturn: false
      } },
"resume_campaign":
{ Args: { "p_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"retry_failed_recipients":
{ Args: { "p_id": string }; Returns: number
                           },
"retry_message":
{ Args: { "p_message_id": string }; Returns: {
              "accepted_at": string | null,
"body": string | null,
"campaign_id": string | null,
"client_key": string | null,
"contact_id": string,
"conversation_id": string,
"created_at": string,
"delivered_at": string | null,
"direction": string,
"error_code": string | null,
"error_message": string | null,
"failed_at": string | null,
"id": string,
"is_uncertain": boolean,
"occurred_at": string,
"org_id": string,
"payload": Json | null,
"reactions": NonNullable<Json>,
"read_at": string | null,
"reply_to_message_id": string | null,
"reply_to_wa_message_id": string | null,
"send_try": number,
"sent_at": string | null,
"sent_by": string | null,
"status": string,
"template_id": string | null,
"type": string,
"wa_message_id": string | null,
"whatsapp_account_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "messages"
        isOneToOne: true
        isSetofReturn: false
      } },
"revoke_invitation":
{ Args: { "p_id": string }; Returns: undefined
                           },
"rotate_conversion_secret":
{ Args: { "p_org_id": string }; Returns: string
                           },
"schedule_campaign":
{ Args: { "p_at": string,"p_expected_updated_at"?: string,"p_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"search_conversations":
{ Args: { "p_limit"?: number,"p_org_id": string,"p_query": string }; Returns: {
              "conversation_id": string,"matched": string,"message_id": string,"occurred_at": string,"snippet": string
            }[]
                           },
"segment_catalog":
{ Args: { "p_org_id": string }; Returns: Json
                           },
"segment_members":
{ Args: { "p_after"?: string,"p_limit"?: number,"p_segment_id": string }; Returns: {
              "address": Json | null,
"avatar_url": string | null,
"birthday": string | null,
"bsuid": string | null,
"company": string | null,
"created_at": string,
"custom_fields": NonNullable<Json>,
"deleted_at": string | null,
"email": string | null,
"erased_at": string | null,
"full_name": string | null,
"id": string,
"job_title": string | null,
"last_inbound_at": string | null,
"last_message_at": string | null,
"lifecycle_stage": string,
"marketing_stopped_at": string | null,
"messages_received": number,
"messages_sent": number,
"not_on_whatsapp_at": string | null,
"notes": string | null,
"opt_in_at": string | null,
"opt_in_source": string | null,
"opt_in_status": string,
"org_id": string,
"phone": string | null,
"search_text": string | null,
"source": string,
"updated_at": string,
"username": string | null,
"wa_id": string | null
            }[]
                          SetofOptions: {
        from: "*"
        to: "contacts"
        isOneToOne: false
        isSetofReturn: true
      } },
"segment_plan":
{ Args: { "p_segment_id": string }; Returns: string[]
                           },
"segment_sentence":
{ Args: { "p_id": string }; Returns: string
                           },
"segment_sql":
{ Args: { "p_segment_id": string }; Returns: string
                           },
"segment_summaries":
{ Args: { "p_org_id": string }; Returns: Json
                           },
"segment_usage":
{ Args: { "p_id": string }; Returns: Json
                           },
"send_message":
{ Args: { "p_body"?: string,"p_client_key": string,"p_conversation_id": string,"p_payload"?: Json,"p_reply_to"?: string,"p_type"?: string }; Returns: {
              "accepted_at": string | null,
"body": string | null,
"campaign_id": string | null,
"client_key": string | null,
"contact_id": string,
"conversation_id": string,
"created_at": string,
"delivered_at": string | null,
"direction": string,
"error_code": string | null,
"error_message": string | null,
"failed_at": string | null,
"id": string,
"is_uncertain": boolean,
"occurred_at": string,
"org_id": string,
"payload": Json | null,
"reactions": NonNullable<Json>,
"read_at": string | null,
"reply_to_message_id": string | null,
"reply_to_wa_message_id": string | null,
"send_try": number,
"sent_at": string | null,
"sent_by": string | null,
"status": string,
"template_id": string | null,
"type": string,
"wa_message_id": string | null,
"whatsapp_account_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "messages"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_campaign_settings":
{ Args: { "p_fields": Json,"p_org_id": string }; Returns: {
              "marketing_cap": Json | null,
"message_prices": Json | null,
"org_id": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "campaign_settings"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_consent_keywords":
{ Args: { "p_org_id": string,"p_start": (string)[],"p_stop": (string)[] }; Returns: {
              "bare": string,
"kind": string,
"org_id": string,
"word": string
            }[]
                          SetofOptions: {
        from: "*"
        to: "consent_keywords"
        isOneToOne: false
        isSetofReturn: true
      } },
"set_contact_consent":
{ Args: { "p_evidence"?: string,"p_id": string,"p_source"?: string,"p_status": string }; Returns: {
              "address": Json | null,
"avatar_url": string | null,
"birthday": string | null,
"bsuid": string | null,
"company": string | null,
"created_at": string,
"custom_fields": NonNullable<Json>,
"deleted_at": string | null,
"email": string | null,
"erased_at": string | null,
"full_name": string | null,
"id": string,
"job_title": string | null,
"last_inbound_at": string | null,
"last_message_at": string | null,
"lifecycle_stage": string,
"marketing_stopped_at": string | null,
"messages_received": number,
"messages_sent": number,
"not_on_whatsapp_at": string | null,
"notes": string | null,
"opt_in_at": string | null,
"opt_in_source": string | null,
"opt_in_status": string,
"org_id": string,
"phone": string | null,
"search_text": string | null,
"source": string,
"updated_at": string,
"username": string | null,
"wa_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "contacts"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_contact_tags":
{ Args: { "p_id": string,"p_tag_ids": (string)[] }; Returns: undefined
                           },
"set_member_role":
{ Args: { "p_org_id": string,"p_role": string,"p_user_id": string }; Returns: undefined
                           },
"snooze_conversation":
{ Args: { "p_conversation_id": string,"p_until": string }; Returns: undefined
                           },
"start_conversation":
{ Args: { "p_contact_id": string,"p_whatsapp_account_id": string }; Returns: string
                           },
"start_import":
{ Args: { "p_job_id": string,"p_mapping": Json,"p_options"?: Json }; Returns: {
              "created_at": string,
"created_by": string | null,
"done_count": number,
"expires_at": string,
"finished_at": string | null,
"id": string,
"input": NonNullable<Json>,
"kind": string,
"org_id": string,
"problem": string | null,
"result": Json | null,
"started_at": string | null,
"status": string,
"total_count": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "jobs"
        isOneToOne: true
        isSetofReturn: false
      } },
"submit_template":
{ Args: { "p_expected_updated_at"?: string,"p_id": string }; Returns: {
              "category": string,
"category_changes_at": string | null,
"components": NonNullable<Json>,
"correct_category": string | null,
"created_at": string,
"created_by": string | null,
"deleted_at": string | null,
"delivered_count": number,
"has_changes": boolean,
"id": string,
"language": string,
"last_used_at": string | null,
"links": NonNullable<Json>,
"meta_status": string | null,
"meta_status_at": string | null,
"name": string,
"org_id": string,
"parameter_format": string,
"previous_category": string | null,
"problem": string | null,
"quality": string,
"read_count": number,
"rejected_reason": string | null,
"reviewed_at": string | null,
"sent_count": number,
"status": string,
"status_reason": string | null,
"submitted_at": string | null,
"synced_at": string | null,
"updated_at": string,
"wa_template_id": string | null,
"waba_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "templates"
        isOneToOne: true
        isSetofReturn: false
      } },
"sync_templates":
{ Args: { "p_org_id": string }; Returns: undefined
                           },
"template_analytics":
{ Args: { "p_days"?: number,"p_id": string }; Returns: Json
                           },
"template_variables":
{ Args: { "p_id": string }; Returns: Json
                           },
"transfer_ownership":
{ Args: { "p_org_id": string,"p_user_id": string }; Returns: undefined
                           },
"unschedule_campaign":
{ Args: { "p_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"update_campaign":
{ Args: { "p_expected_updated_at": string,"p_fields": Json,"p_id": string }; Returns: {
              "attribution_days": number,
"audience": Json | null,
"created_at": string,
"created_by": string | null,
"description": string | null,
"finished_at": string | null,
"holdout_percent": number,
"id": string,
"is_marketing": boolean,
"launched_at": string | null,
"name": string,
"org_id": string,
"planned_cost": Json | null,
"quiet_hours": Json | null,
"resumes_at": string | null,
"scheduled_at": string | null,
"started_at": string | null,
"status": string,
"status_reason": string | null,
"test": Json | null,
"tested_at": string | null,
"time_zone": string | null,
"uncertain_hours": number,
"uncertain_policy": string,
"updated_at": string,
"waiting_for": string | null,
"whatsapp_account_id": string | null,
"winner": number | null
            }
                          SetofOptions: {
        from: "*"
        to: "campaigns"
        isOneToOne: true
        isSetofReturn: false
      } },
"update_contact":
{ Args: { "p_expected_updated_at": string,"p_fields": Json,"p_id": string }; Returns: {
              "address": Json | null,
"avatar_url": string | null,
"birthday": string | null,
"bsuid": string | null,
"company": string | null,
"created_at": string,
"custom_fields": NonNullable<Json>,
"deleted_at": string | null,
"email": string | null,
"erased_at": string | null,
"full_name": string | null,
"id": string,
"job_title": string | null,
"last_inbound_at": string | null,
"last_message_at": string | null,
"lifecycle_stage": string,
"marketing_stopped_at": string | null,
"messages_received": number,
"messages_sent": number,
"not_on_whatsapp_at": string | null,
"notes": string | null,
"opt_in_at": string | null,
"opt_in_source": string | null,
"opt_in_status": string,
"org_id": string,
"phone": string | null,
"search_text": string | null,
"source": string,
"updated_at": string,
"username": string | null,
"wa_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "contacts"
        isOneToOne: true
        isSetofReturn: false
      } },
"update_custom_field":
{ Args: { "p_id": string,"p_label"?: string,"p_options"?: (string)[],"p_position"?: number }; Returns: {
              "archived_at": string | null,
"created_at": string,
"id": string,
"key": string,
"label": string,
"options": (string)[],
"org_id": string,
"position": number,
"type": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "custom_field_definitions"
        isOneToOne: true
        isSetofReturn: false
      } },
"update_organization":
{ Args: { "p_country": string,"p_name": string,"p_org_id": string,"p_time_zone": string }; Returns: undefined
                           },
"update_profile":
{ Args: { "p_full_name": string }; Returns: undefined
                           },
"update_segment":
{ Args: { "p_description": string,"p_expected_updated_at": string,"p_id": string,"p_name": string,"p_rules": Json }; Returns: {
              "created_at": string,
"created_by": string | null,
"description": string | null,
"evaluated_at": string | null,
"id": string,
"kind": string,
"member_count": number,
"name": string,
"org_id": string,
"rules": Json | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "segments"
        isOneToOne: true
        isSetofReturn: false
      } },
"update_tag":
{ Args: { "p_color"?: string,"p_id": string,"p_name": string }; Returns: {
              "color": string,
"created_at": string,
"id": string,
"name": string,
"org_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "tags"
        isOneToOne: true
        isSetofReturn: false
      } },
"update_template":
{ Args: { "p_expected_updated_at": string,"p_fields": Json,"p_id": string }; Returns: {
              "category": string,
"category_changes_at": string | null,
"components": NonNullable<Json>,
"correct_category": string | null,
"created_at": string,
"created_by": string | null,
"deleted_at": string | null,
"delivered_count": number,
"has_changes": boolean,
"id": string,
"language": string,
"last_used_at": string | null,
"links": NonNullable<Json>,
"meta_status": string | null,
"meta_status_at": string | null,
"name": string,
"org_id": string,
"parameter_format": string,
"previous_category": string | null,
"problem": string | null,
"quality": string,
"read_count": number,
"rejected_reason": string | null,
"reviewed_at": string | null,
"sent_count": number,
"status": string,
"status_reason": string | null,
"submitted_at": string | null,
"synced_at": string | null,
"updated_at": string,
"wa_template_id": string | null,
"waba_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "templates"
        isOneToOne: true
        isSetofReturn: false
      } }
          }
          Enums: {
            [_ in never]: never
          }
          CompositeTypes: {
            [_ in never]: never
          }
        }
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
  ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
  : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
  : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
  : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
  ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
  ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never

export const Constants = {
  "public": {
          Enums: {
            
          }
        }
} as const
