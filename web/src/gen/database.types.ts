export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
    Tables: {
      organizations: {
        Row: { id: string; name: string; country: string; time_zone: string; created_at: string };
        Insert: { id?: string; name?: string; country?: string; time_zone?: string; created_at?: string };
        Update: { id?: string; name?: string; country?: string; time_zone?: string; created_at?: string };
        Relationships: [
        ];
      };
      profiles: {
        Row: { user_id: string; full_name: string; email: string; avatar_url: string | null };
        Insert: { user_id?: string; full_name?: string; email?: string; avatar_url?: string | null };
        Update: { user_id?: string; full_name?: string; email?: string; avatar_url?: string | null };
        Relationships: [
        ];
      };
      org_memberships: {
        Row: { org_id: string; user_id: string; role: string; created_at: string };
        Insert: { org_id?: string; user_id?: string; role?: string; created_at?: string };
        Update: { org_id?: string; user_id?: string; role?: string; created_at?: string };
        Relationships: [
          { foreignKeyName: "org_memberships_org_id_fkey"; columns: ['org_id']; isOneToOne: false; referencedRelation: "organizations"; referencedColumns: ['id'] },
          { foreignKeyName: "org_memberships_user_id_fkey1"; columns: ['user_id']; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ['user_id'] },
        ];
      };
      org_invitations: {
        Row: { id: string; org_id: string; email: string; role: string; invited_by: string | null; expires_at: string; accepted_at: string | null; revoked_at: string | null; created_at: string };
        Insert: { id?: string; org_id?: string; email?: string; role?: string; invited_by?: string | null; expires_at?: string; accepted_at?: string | null; revoked_at?: string | null; created_at?: string };
        Update: { id?: string; org_id?: string; email?: string; role?: string; invited_by?: string | null; expires_at?: string; accepted_at?: string | null; revoked_at?: string | null; created_at?: string };
        Relationships: [
        ];
      };
      whatsapp_accounts: {
        Row: { id: string; org_id: string; waba_id: string; phone_number_id: string; display_phone_number: string | null; verified_name: string | null; status: string; status_reason: string | null; quality_rating: string; messaging_tier: string | null; created_at: string; connected_at: string | null };
        Insert: { id?: string; org_id?: string; waba_id?: string; phone_number_id?: string; display_phone_number?: string | null; verified_name?: string | null; status?: string; status_reason?: string | null; quality_rating?: string; messaging_tier?: string | null; created_at?: string; connected_at?: string | null };
        Update: { id?: string; org_id?: string; waba_id?: string; phone_number_id?: string; display_phone_number?: string | null; verified_name?: string | null; status?: string; status_reason?: string | null; quality_rating?: string; messaging_tier?: string | null; created_at?: string; connected_at?: string | null };
        Relationships: [
        ];
      };
      contacts: {
        Row: { id: string; org_id: string; phone: string | null; wa_id: string | null; bsuid: string | null; username: string | null; full_name: string | null; email: string | null; avatar_url: string | null; company: string | null; job_title: string | null; address: Json | null; notes: string | null; source: string; opt_in_status: string; opt_in_at: string | null; opt_in_source: string | null; last_message_at: string | null; birthday: string | null; lifecycle_stage: string; custom_fields: Json; search_text: string | null; deleted_at: string | null; created_at: string; updated_at: string };
        Insert: { id?: string; org_id?: string; phone?: string | null; wa_id?: string | null; bsuid?: string | null; username?: string | null; full_name?: string | null; email?: string | null; avatar_url?: string | null; company?: string | null; job_title?: string | null; address?: Json | null; notes?: string | null; source?: string; opt_in_status?: string; opt_in_at?: string | null; opt_in_source?: string | null; last_message_at?: string | null; birthday?: string | null; lifecycle_stage?: string; custom_fields?: Json; search_text?: string | null; deleted_at?: string | null; created_at?: string; updated_at?: string };
        Update: { id?: string; org_id?: string; phone?: string | null; wa_id?: string | null; bsuid?: string | null; username?: string | null; full_name?: string | null; email?: string | null; avatar_url?: string | null; company?: string | null; job_title?: string | null; address?: Json | null; notes?: string | null; source?: string; opt_in_status?: string; opt_in_at?: string | null; opt_in_source?: string | null; last_message_at?: string | null; birthday?: string | null; lifecycle_stage?: string; custom_fields?: Json; search_text?: string | null; deleted_at?: string | null; created_at?: string; updated_at?: string };
        Relationships: [
        ];
      };
      tags: {
        Row: { id: string; org_id: string; name: string; color: string; created_at: string };
        Insert: { id?: string; org_id?: string; name?: string; color?: string; created_at?: string };
        Update: { id?: string; org_id?: string; name?: string; color?: string; created_at?: string };
        Relationships: [
        ];
      };
      contact_tags: {
        Row: { org_id: string; contact_id: string; tag_id: string; created_at: string };
        Insert: { org_id?: string; contact_id?: string; tag_id?: string; created_at?: string };
        Update: { org_id?: string; contact_id?: string; tag_id?: string; created_at?: string };
        Relationships: [
          { foreignKeyName: "contact_tags_org_id_contact_id_fkey"; columns: ['org_id', 'contact_id']; isOneToOne: false; referencedRelation: "contacts"; referencedColumns: ['org_id', 'id'] },
          { foreignKeyName: "contact_tags_org_id_tag_id_fkey"; columns: ['org_id', 'tag_id']; isOneToOne: false; referencedRelation: "tags"; referencedColumns: ['org_id', 'id'] },
        ];
      };
      conversations: {
        Row: { id: string; org_id: string; whatsapp_account_id: string; contact_id: string; status: string; folder: string | null; assigned_to: string | null; window_expires_at: string | null; snoozed_until: string | null; unread_count: number; last_message_at: string; last_message_preview: string | null; last_message_type: string | null; last_message_direction: string | null; last_message_status: string | null; created_at: string; updated_at: string };
        Insert: { id?: string; org_id?: string; whatsapp_account_id?: string; contact_id?: string; status?: string; folder?: string | null; assigned_to?: string | null; window_expires_at?: string | null; snoozed_until?: string | null; unread_count?: number; last_message_at?: string; last_message_preview?: string | null; last_message_type?: string | null; last_message_direction?: string | null; last_message_status?: string | null; created_at?: string; updated_at?: string };
        Update: { id?: string; org_id?: string; whatsapp_account_id?: string; contact_id?: string; status?: string; folder?: string | null; assigned_to?: string | null; window_expires_at?: string | null; snoozed_until?: string | null; unread_count?: number; last_message_at?: string; last_message_preview?: string | null; last_message_type?: string | null; last_message_direction?: string | null; last_message_status?: string | null; created_at?: string; updated_at?: string };
        Relationships: [
        ];
      };
      messages: {
        Row: { id: string; org_id: string; conversation_id: string; whatsapp_account_id: string; contact_id: string; direction: string; type: string; body: string | null; payload: Json | null; wa_message_id: string | null; reply_to_wa_message_id: string | null; reply_to_message_id: string | null; status: string; is_uncertain: boolean; error_code: string | null; error_message: string | null; client_key: string | null; sent_by: string | null; reactions: Json; occurred_at: string; sent_at: string | null; delivered_at: string | null; read_at: string | null; failed_at: string | null; created_at: string };
        Insert: { id?: string; org_id?: string; conversation_id?: string; whatsapp_account_id?: string; contact_id?: string; direction?: string; type?: string; body?: string | null; payload?: Json | null; wa_message_id?: string | null; reply_to_wa_message_id?: string | null; reply_to_message_id?: string | null; status?: string; is_uncertain?: boolean; error_code?: string | null; error_message?: string | null; client_key?: string | null; sent_by?: string | null; reactions?: Json; occurred_at?: string; sent_at?: string | null; delivered_at?: string | null; read_at?: string | null; failed_at?: string | null; created_at?: string };
        Update: { id?: string; org_id?: string; conversation_id?: string; whatsapp_account_id?: string; contact_id?: string; direction?: string; type?: string; body?: string | null; payload?: Json | null; wa_message_id?: string | null; reply_to_wa_message_id?: string | null; reply_to_message_id?: string | null; status?: string; is_uncertain?: boolean; error_code?: string | null; error_message?: string | null; client_key?: string | null; sent_by?: string | null; reactions?: Json; occurred_at?: string; sent_at?: string | null; delivered_at?: string | null; read_at?: string | null; failed_at?: string | null; created_at?: string };
        Relationships: [
        ];
      };
      activity_log: {
        Row: { id: string; org_id: string; kind: string; actor_id: string | null; contact_id: string | null; conversation_id: string | null; data: Json; created_at: string };
        Insert: { id?: string; org_id?: string; kind?: string; actor_id?: string | null; contact_id?: string | null; conversation_id?: string | null; data?: Json; created_at?: string };
        Update: { id?: string; org_id?: string; kind?: string; actor_id?: string | null; contact_id?: string | null; conversation_id?: string | null; data?: Json; created_at?: string };
        Relationships: [
        ];
      };
      notifications: {
        Row: { id: string; org_id: string; user_id: string; kind: string; priority: string; data: Json; read_at: string | null; created_at: string };
        Insert: { id?: string; org_id?: string; user_id?: string; kind?: string; priority?: string; data?: Json; read_at?: string | null; created_at?: string };
        Update: { id?: string; org_id?: string; user_id?: string; kind?: string; priority?: string; data?: Json; read_at?: string | null; created_at?: string };
        Relationships: [
        ];
      };
    };
    Views: {
      conversation_list: {
        Row: { id: string | null; org_id: string | null; whatsapp_account_id: string | null; contact_id: string | null; status: string | null; folder: string | null; assigned_to: string | null; window_expires_at: string | null; snoozed_until: string | null; unread_count: number | null; last_message_at: string | null; last_message_preview: string | null; last_message_type: string | null; last_message_direction: string | null; last_message_status: string | null; created_at: string | null; updated_at: string | null; contact_name: string | null; contact_phone: string | null; contact_avatar_url: string | null; account_display_phone_number: string | null };
        Relationships: [];
      };
    };
    Functions: {
      complete_onboarding: { Args: { p_full_name: string; p_org_name: string; p_country?: string; p_time_zone?: string }; Returns: string };
      invite_member: { Args: { p_org_id: string; p_email: string; p_role: string }; Returns: { id: string; token: string }[] };
      accept_invitation: { Args: { p_token: string }; Returns: string };
      revoke_invitation: { Args: { p_id: string }; Returns: undefined };
      set_member_role: { Args: { p_org_id: string; p_user_id: string; p_role: string }; Returns: undefined };
      remove_member: { Args: { p_org_id: string; p_user_id: string }; Returns: undefined };
      transfer_ownership: { Args: { p_org_id: string; p_user_id: string }; Returns: undefined };
      update_organization: { Args: { p_org_id: string; p_name: string; p_country: string; p_time_zone: string }; Returns: undefined };
      update_profile: { Args: { p_full_name: string }; Returns: undefined };
      connect_whatsapp_account: { Args: { p_org_id: string; p_waba_id: string; p_phone_number_id: string; p_access_token: string }; Returns: string };
      disconnect_whatsapp_account: { Args: { p_id: string }; Returns: undefined };
      send_message: { Args: { p_conversation_id: string; p_client_key: string; p_type?: string; p_body?: string; p_payload?: Json; p_reply_to?: string }; Returns: Database["public"]["Tables"]["messages"]["Row"] };
      retry_message: { Args: { p_message_id: string }; Returns: Database["public"]["Tables"]["messages"]["Row"] };
      add_note: { Args: { p_conversation_id: string; p_body: string; p_client_key: string }; Returns: Database["public"]["Tables"]["messages"]["Row"] };
      mark_conversation_read: { Args: { p_conversation_id: string }; Returns: undefined };
      mark_conversation_unread: { Args: { p_conversation_id: string }; Returns: undefined };
      assign_conversation: { Args: { p_conversation_id: string; p_user_id: string }; Returns: undefined };
      resolve_conversation: { Args: { p_conversation_id: string }; Returns: undefined };
      reopen_conversation: { Args: { p_conversation_id: string }; Returns: undefined };
      snooze_conversation: { Args: { p_conversation_id: string; p_until: string }; Returns: undefined };
      start_conversation: { Args: { p_contact_id: string; p_whatsapp_account_id: string }; Returns: string };
      create_tag: { Args: { p_org_id: string; p_name: string; p_color?: string }; Returns: string };
      create_contact: { Args: { p_org_id: string; p_fields: Json }; Returns: Database["public"]["Tables"]["contacts"]["Row"] };
      update_contact: { Args: { p_id: string; p_fields: Json; p_expected_updated_at: string }; Returns: Database["public"]["Tables"]["contacts"]["Row"] };
      delete_contact: { Args: { p_id: string }; Returns: undefined };
      restore_contact: { Args: { p_id: string }; Returns: undefined };
      set_contact_tags: { Args: { p_id: string; p_tag_ids: string[] }; Returns: undefined };
      set_contact_consent: { Args: { p_id: string; p_status: string; p_source?: string }; Returns: Database["public"]["Tables"]["contacts"]["Row"] };
      mark_notifications_read: { Args: { p_org_id: string; p_ids?: string[] }; Returns: number };
      search_conversations: { Args: { p_org_id: string; p_query: string; p_limit?: number }; Returns: { conversation_id: string; matched: string; snippet: string; message_id: string; occurred_at: string }[] };
    };
    Enums: { [_ in never]: never };
    CompositeTypes: { [_ in never]: never };
  };
};
