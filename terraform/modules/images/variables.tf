variable "repositories" {
  description = "Names of the registries by image."
  type        = map(string)
}

variable "images" {
  description = "Number of images that each registry keeps, signatures included."
  type        = number
  default     = 90

  validation {
    condition     = var.images >= 10
    error_message = "images must be at least 10, or the image that runs could expire."
  }
}

variable "untagged_days" {
  description = "Days after which images without a tag expire."
  type        = number
  default     = 14

  validation {
    condition     = var.untagged_days >= 1
    error_message = "untagged_days must be at least 1."
  }
}

variable "force_destroy" {
  description = "Whether destroying a registry deletes its images."
  type        = bool
}
