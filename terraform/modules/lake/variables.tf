variable "names" {
  description = "Names from resources.json with environment and account filled in."
  type = object({
    buckets              = map(string)
    streams              = map(string)
    database             = string
    crawler              = string
    crawler_table_prefix = string
    roles                = map(string)
  })
}

variable "tables" {
  description = "Tables from tables.json; columns and partition keys are ordered lists of [name, type]."
  type = map(object({
    description    = string
    bucket         = string
    prefix         = string
    format         = string
    projected      = optional(bool, false)
    columns        = list(list(string))
    partition_keys = list(list(string))
  }))
}

variable "projection" {
  description = "Parameters of tables with partition projection."
  type        = map(string)
}

variable "policy" {
  description = "Policy of the crawler's role, as JSON."
  type        = string
}

variable "trust" {
  description = "Trust policy of the crawler's role, as JSON."
  type        = string
}

variable "retention_days" {
  description = "Retention of each zone in days, from resources.json."
  type = object({
    raw           = number
    errors        = number
    query_results = number
    overwritten   = number
  })
}

variable "force_destroy" {
  description = "Whether destroying a bucket deletes its objects."
  type        = bool
}

variable "require_tls" {
  description = "Whether the buckets reject plain HTTP."
  type        = bool
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role, or null for none."
  type        = string
  default     = null
}
