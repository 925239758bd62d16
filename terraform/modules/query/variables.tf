variable "name" {
  description = "The workgroup's name."
  type        = string
}

variable "results_bucket" {
  description = "The bucket that Athena writes query results to."
  type        = string
}

variable "scan_limit_bytes" {
  description = "Bytes that one query may scan before Athena cancels it; Athena takes no less than 10 MB."
  type        = number

  validation {
    condition     = var.scan_limit_bytes >= 10485760
    error_message = "scan_limit_bytes must be at least 10485760 (10 MB)."
  }
}

variable "force_destroy" {
  description = "Whether destroying the workgroup deletes its history of queries."
  type        = bool
}

variable "database" {
  description = "The catalogue's database, which the named queries are about."
  type        = string
}

variable "queries" {
  description = "SQL by the name under which people find it in the workgroup; its first line is a comment that describes it."
  type        = map(string)

  validation {
    condition     = alltrue([for sql in values(var.queries) : startswith(sql, "-- ")])
    error_message = "queries must begin with a comment that says what they give."
  }
}
