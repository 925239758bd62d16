# Secrets that people fill and programs read. They are created empty (docs/deploy.md), so no value is ever in Terraform's
# state.

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV_AWS_149:Encrypted with the account's key for Secrets Manager: one account, one team.
  #checkov:skip=CKV2_AWS_57:The networks issue these tokens to people; nothing here could ask for new ones.
  for_each = var.secrets

  name                    = each.value
  description             = var.descriptions[each.key]
  recovery_window_in_days = var.force_destroy ? 0 : 30
}
