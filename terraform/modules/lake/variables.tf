variable "names" {
  description = "The names of resources.json, filled in."
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
  description = "The tables of tables.json; columns and partition keys are lists of [name, type] in their order."
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
  description = "Parameters of the tables whose partitions Athena computes."
  type        = map(string)
}

variable "policy" {
  description = "What the crawler may do, as JSON."
  type        = string
}

variable "trust" {
  description = "Who may assume the crawler's role, as JSON."
  type        = string
}

variable "retention_days" {
  description = "Days that each zone is kept, as resources.json has them."
  type = object({
    raw           = number
    errors        = number
    query_results = number
    overwritten   = number
  })
}

variable "force_destroy" {
  description = "Whether destroying a bucket deletes what is in it."
  type        = bool
}

variable "require_tls" {
  description = "Whether the buckets refuse plain HTTP."
  type        = bool
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role, or null for none."
  type        = string
  default     = null
}
