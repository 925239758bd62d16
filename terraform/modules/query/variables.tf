variable "name" {
  description = "Name of the workgroup."
  type        = string
}

variable "results_bucket" {
  description = "Name of the bucket for query results."
  type        = string
}

variable "scan_limit_bytes" {
  description = "Bytes that one query may scan before Athena cancels it; at least 10 MB."
  type        = number

  validation {
    condition     = var.scan_limit_bytes >= 10485760
    error_message = "scan_limit_bytes must be at least 10485760 (10 MB)."
  }
}

variable "force_destroy" {
  description = "Whether destroying the workgroup deletes its query history."
  type        = bool
}

variable "database" {
  description = "Glue database of the named queries."
  type        = string
}

variable "queries" {
  description = "SQL of the named queries by name; the first line of each is a comment that becomes its description."
  type        = map(string)

  validation {
    condition     = alltrue([for sql in values(var.queries) : startswith(sql, "-- ")])
    error_message = "queries must start with a comment that describes the result."
  }
}
